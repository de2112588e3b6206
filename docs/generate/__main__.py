"""Write all that is generated of this project's own documents: `python docs/generate`.

It needs a checkout, so it is no part of the package.
"""

import evidence
import models

evidence.write()
models.write()
