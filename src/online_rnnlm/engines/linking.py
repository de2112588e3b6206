"""How numba links compiled functions: each uses its own copies of the functions that it calls.

numba compiles a function together with copies of those that it calls, and optimises the copies once
more. In one process, the first copy of a function that is loaded would serve all its callers, and
copies differ in how they round sums: results would depend on which functions a process has loaded
before, and on whether it compiled them or found them in a cache.
"""

from __future__ import annotations

from llvmlite.binding import Linkage, ModuleRef
from numba.core.codegen import CPUCodeLibrary

_finalize = CPUCodeLibrary._finalize_final_module


def link_apart() -> None:
    """Make numba link in this way whatever it compiles from now on."""
    CPUCodeLibrary._finalize_final_module = _finalize_apart


def _finalize_apart(library: CPUCodeLibrary) -> None:
    """Make a library ready to use; other libraries still get all its functions to copy."""
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
