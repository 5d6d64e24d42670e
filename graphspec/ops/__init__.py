"""The primitive ops, one family per file. Importing this package fills the catalogue, `graphspec.op.OPS`."""

from graphspec.ops import elementwise, indexing, linalg, random, reduction, shape, slicing  # noqa: F401
