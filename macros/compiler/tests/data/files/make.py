"""Writes the archives that the tests of `import` read: `python make.py`, NumPy 2.4."""

import numpy as np

arrays = {
    "layer/weight": np.arange(6, dtype="<f4").reshape(2, 3) / 2,
    "fortran": np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)),
    "big_endian": np.array([1, -2], dtype=">f8"),
    "half": np.array([0.5, -65504], dtype="<f2"),
    "wide": np.array([0.1, 1e300], dtype="<f8"),
    "scalar": np.array(7, dtype="<f4"),
    "empty": np.zeros((0, 5), dtype="<f4"),
    "bytes": np.array([0, 255], dtype="u1"),
    "text": np.array(["ab"]),
}
np.savez("stored.npz", **arrays)
np.savez_compressed("deflated.npz", **arrays)
