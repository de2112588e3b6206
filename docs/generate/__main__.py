"""Write all that is generated of this project's own documents: `python -m docs.generate`.

It needs a checkout, so it is no part of the package.
"""

from docs.generate import notebook, pages, picture

pages.write()
notebook.write()
picture.write()
