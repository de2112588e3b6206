"""A change of numba that keeps results independent of what else a process has compiled or loaded.

numba puts a copy of every function that a compiled function calls into its machine code, and
optimises each copy anew, so that copies may round sums differently. By default a process uses the
copy that it loads first for all callers. Here every compiled function uses its own copies.
"""

from __future__ import annotations

from llvmlite.binding import Linkage, ModuleRef
from numba.core.codegen import CPUCodeLibrary

_finalize = CPUCodeLibrary._finalize_final_module


def link_apart() -> None:
    """Let every function that numba compiles from now on use its own copies of others."""
    CPUCodeLibrary._finalize_final_module = _finalize_apart


def _finalize_apart(library: CPUCodeLibrary) -> None:
    """Make the machine code of a function ready to use, with its copies hidden from others.

    What numba copies into the code of its callers stays as it is by default.
    """
    module = library._final_module
    if library._shared_module is None:
        library._shared_module = _with_linkage(module.clone(), Linkage.external, "linkonce_odr")
    _with_linkage(module, Linkage.linkonce_odr, "internal")
    _finalize(library)


def _with_linkage(module: ModuleRef, old: Linkage, new: str) -> ModuleRef:
    """Change the linkage of those functions that a module defines with the old one."""
    for function in module.functions:
        if function.linkage == old and not function.is_declaration:
            function.linkage = new
    return module
