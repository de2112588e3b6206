"""The syntax tree of a module without what decides no result."""

from __future__ import annotations

import ast

PACKAGE = "online_rnnlm"
_TEXTS = frozenset({"help", "metavar", "description", "desc"})
"""Keyword arguments that are shown to people."""
_BLOCKS = ("body", "orelse", "finalbody")


def is_own(module: str | None) -> bool:
    """True if a module of that name is part of this package."""
    return module is not None and module.partition(".")[0] == PACKAGE


class Decisive(ast.NodeTransformer):
    """A transformer that removes what decides no result: docstrings and messages to people."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visit all child nodes, and remove each `pass` that its block does not need."""
        super().generic_visit(node)
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list) and any(isinstance(s, ast.Pass) for s in block):
                kept = [s for s in block if not isinstance(s, ast.Pass)]
                setattr(node, name, kept or ([ast.Pass()] if name == "body" else []))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Remove docstrings and messages to the log."""
        value = node.value
        logs = isinstance(value, ast.Call) and ast.unparse(value.func).startswith("logger.")
        return ast.Pass() if logs or isinstance(value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Keep the class of an error and remove its message."""
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(ast.Constant(ast.unparse(error)) if error else None, None)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Remove arguments that are shown to people."""
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in _TEXTS]
        return self.generic_visit(node)


class Bare(ast.NodeTransformer):
    """A transformer that removes annotations and the package's own imports.

    A digest has the definitions that these imports refer to instead.
    """

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Remove the annotation."""
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Remove the annotation of the returned value."""
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Remove the annotation."""
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        """Remove imports from the package itself."""
        return ast.Pass() if is_own(node.module) else node
