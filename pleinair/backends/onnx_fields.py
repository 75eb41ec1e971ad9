"""The messages of onnx.proto (1.23): field number -> how it stands in the file (protobuf's form).

MANY where there may be several, ROW where several numbers may stand in one block. A test compares these tables with
the onnx package's own.
"""

from __future__ import annotations

MANY, ROW = 8, 24
MODEL = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, **dict.fromkeys((8, 14, 20, 25, 26), 2 | MANY)}
OPSET = {1: 2, 2: 0}
PAIR = {1: 2, 2: 2}
TRAINING = {1: 2, 2: 2, 3: 2 | MANY, 4: 2 | MANY}
FUNCTION = {1: 2, 8: 2, 10: 2, 13: 2, **dict.fromkeys((4, 5, 6, 7, 9, 11, 12, 14), 2 | MANY)}
GRAPH = {2: 2, 10: 2, **dict.fromkeys((1, 5, 11, 12, 13, 14, 15, 16), 2 | MANY)}
NODE = {3: 2, 4: 2, 6: 2, 7: 2, 8: 2, **dict.fromkeys((1, 2, 5, 9, 10), 2 | MANY)}
ATTRIBUTE = {1: 2, 2: 5, 3: 0, 4: 2, 5: 2, 6: 2, 13: 2, 14: 2, 20: 0, 21: 2, 22: 2, 7: 5 | ROW, 8: 0 | ROW}
ATTRIBUTE |= dict.fromkeys((9, 10, 11, 15, 23), 2 | MANY)
TENSOR = {1: 0 | ROW, 2: 0, 3: 2, 4: 5 | ROW, 5: 0 | ROW, 6: 2 | MANY, 7: 0 | ROW, 8: 2, 9: 2, 10: 1 | ROW}
TENSOR |= {11: 0 | ROW, 12: 2, 13: 2 | MANY, 14: 0, 16: 2 | MANY}
SPARSE = {1: 2, 2: 2, 3: 0 | ROW}
VALUE_INFO = {1: 2, 2: 2, 3: 2, 4: 2 | MANY}
TYPE = dict.fromkeys((1, 4, 5, 6, 7, 8, 9), 2)
TENSOR_TYPE = {1: 0, 2: 2}
INNER_TYPE = {4: {1: 2}, 5: {1: 0, 2: 2}, 9: {1: 2}}
SHAPE = {1: 2 | MANY}
SIDE = {1: 0, 2: 2, 3: 2}
