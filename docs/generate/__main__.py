"""Write all that is generated of this project's own documents: `python -m docs.generate`.

It needs a checkout, so it is no part of the package.
"""

import sys

from docs.generate import notebook, pages, picture, workflow
from online_rnnlm.errors import ERROR_MARK, UserError

try:
    pages.write()
    notebook.write()
    picture.write()
    workflow.write()
except UserError as error:
    sys.exit(f"{ERROR_MARK}{error}")
