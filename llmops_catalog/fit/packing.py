"""How a quantized matrix is stored: bits of a weight, and what its scales, zero points and tables take besides."""

from __future__ import annotations

from typing import NamedTuple

from llmops_catalog.fit.shapes import Shape


class Packing(NamedTuple):
    """`bits` for each weight and `group_bits` for each `group` weights of a row (a scale, perhaps a zero point).

    Besides: bytes for each row (output), each column (input), each matrix, and a 32-bit scale for each `square` x `square`
    weights. `rows_to` and `cols_to`: kernels that want a multiple of them keep the matrix padded.
    """

    bits: float
    group: int = 0
    group_bits: float = 0
    row_bytes: int = 0
    col_bytes: int = 0
    matrix_bytes: int = 0
    square: int = 0
    rows_to: int = 1
    cols_to: int = 1


SIXTEEN = Packing(16)


def packed_bytes(shape: Shape, packing: Packing) -> int:
    """Bytes of all matrices of this shape."""
    bits, group, group_bits, row_bytes, col_bytes, matrix_bytes, square, rows_to, cols_to = packing
    weights, cols = shape.weights, shape.cols
    if rows_to > 1 or cols_to > 1:
        return _padded(shape, packing)
    total = weights * bits
    if group:
        total += shape.rows * shape.places * -(-cols // group) * group_bits
    size = int(-(-total // 8))
    if row_bytes:
        size += row_bytes * shape.rows * shape.places
    if col_bytes or matrix_bytes:
        size += (col_bytes * cols + matrix_bytes) * shape.matrices
    if square:
        rows = shape.rows * shape.places // shape.matrices
        size += 4 * -(-rows // square) * -(-cols // square) * shape.matrices
    return size


def _padded(shape: Shape, packing: Packing) -> int:
    """As above, every matrix with its sides rounded up."""
    rows = shape.rows * shape.places // shape.matrices
    rows, cols = -(-rows // packing.rows_to) * packing.rows_to, -(-shape.cols // packing.cols_to) * packing.cols_to
    rounded = shape._replace(rows=rows, cols=cols, places=shape.matrices, weights=rows * cols * shape.matrices)
    return packed_bytes(rounded, packing._replace(rows_to=1, cols_to=1))
