"""The syntax tree of a module without what decides no result."""

from __future__ import annotations

import ast

PACKAGE = "online_rnnlm"
_TEXTS = frozenset({"help", "metavar", "description", "desc"})
"""Keyword arguments that are shown to people."""
_BLOCKS = ("body", "orelse", "finalbody")


def is_own(module: str | None) -> bool:
    """Whether a module of that name is of this package."""
    return module is not None and module.partition(".")[0] == PACKAGE


class Decisive(ast.NodeTransformer):
    """Takes out of a syntax tree what decides no result: docstrings, and messages to people."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit all below; a block has no `pass` but where it would be empty."""
        super().generic_visit(node)
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list) and any(isinstance(s, ast.Pass) for s in block):
                kept = [s for s in block if not isinstance(s, ast.Pass)]
                setattr(node, name, kept or ([ast.Pass()] if name == "body" else []))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Drop docstrings, and what is written to the log."""
        value = node.value
        logs = isinstance(value, ast.Call) and ast.unparse(value.func).startswith("logger.")
        return ast.Pass() if logs or isinstance(value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Keep the kind of an error, drop what it says."""
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(ast.Constant(ast.unparse(error)) if error else None, None)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Drop arguments that are shown to people."""
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in _TEXTS]
        return self.generic_visit(node)


class Bare(ast.NodeTransformer):
    """Takes out, too, what is known otherwise: annotations, and where names come from."""

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Drop the annotation."""
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Drop what it returns by its annotation."""
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Drop the annotation."""
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Drop where the package's own names come from."""
        return ast.Pass() if is_own(node.module) else node
