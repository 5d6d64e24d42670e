"""A plan bound to the shapes of its leaves: memory allocated once, every step a call with its output in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphspec.engine.binders import IN_PLACE, Call, bind_step
from graphspec.engine.memory import Pool
from graphspec.leaf import Leaf, Literal, Project
from graphspec.op import Op
from graphspec.plan import Plan, Step
from graphspec.types import TensorType, evaluate_shape

# Ops whose kernel gives a view of its operand, or a copy where there is none.
VIEWS = frozenset(
    [
        *("broadcast_to", "expand_dims", "flip", "identity", "matrix_transpose", "moveaxis", "permute_dims"),
        *("reshape", "slice", "squeeze", "stop_gradient"),
    ]
)


class Bound:
    """A plan and the memory that it runs in; one thread at a time may run it.

    Values that are dead give their memory to later ones, and element-wise results overwrite operands that die.

    Args:
        plan: the schedule.
        leaves: an array for every leaf; only shapes, dtypes and the constants among them matter.
        dims: the integer of every symbolic dim.

    Attributes:
        calls: the steps, each a function without arguments.
        bytes: the memory of all values, leaves included.

    Raises:
        KeyError: a shape depends on the numbers that are fed.
    """

    def __init__(self, plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int]):
        self.calls: list[Call] = []
        self._inputs: list[tuple[int, np.ndarray]] = []
        self._last: dict[int, Any] = {}  # the parameters that lie in their buffers now
        self._dims, self._plan, self._pool = dims, plan, Pool()
        self._arrays: dict[int, Any] = {}
        self._constant: set[int] = set()
        self._root: dict[int, int] = {}  # of each value, the one in whose memory it lies
        self._alive: Counter[int] = Counter()  # by root: values in its memory that are still read
        self._blocks: dict[int, list[np.ndarray]] = {}  # by root
        self._ends = _last_reads(plan)
        size = sum(self._leaf(node, leaves[node]) for node in plan.leaves)
        with np.errstate(all="ignore"):
            for number, step in enumerate(plan.steps):
                self._bind(step, number)
        self._outputs = [self._arrays[node] for node in plan.outputs]
        self.bytes = self._pool.total + size
        del self._arrays, self._root, self._alive, self._blocks, self._ends, self._constant, self._pool

    def run(self, leaves: Mapping[int, Any]) -> list[np.ndarray]:
        """Run the steps and return copies of the outputs."""
        for node, buffer in self._inputs:
            np.copyto(buffer, leaves[node])
        with np.errstate(all="ignore"):
            for call in self.calls:
                call()
        return [array.copy() for array in self._outputs]

    # -- binding ----------------------------------------------------------------------------------------------------

    def _leaf(self, node: int, value: Any) -> int:
        """Give a leaf its array: a constant is one, others are copied into theirs before each run."""
        op = self._plan.graph.ops[node]
        assert isinstance(op, Leaf)
        array = np.asarray(value)
        if op.role == "constant":
            self._constant.add(node)
        else:
            array = np.array(array, order="C")
            self._inputs.append((node, array))
        self._arrays[node] = array
        self._root[node] = node
        self._alive[node] = 1
        return array.nbytes

    def _bind(self, step: Step, number: int) -> None:
        op = step.op.bind(self._dims) if self._dims else step.op
        operands = [self._arrays[i] for i in step.operands]
        if isinstance(op, Literal) or (not op.implicit and all(i in self._constant for i in step.operands)):
            self._fold(step, op, operands)
        elif isinstance(op, Project):
            self._share(step, operands[0][op.index])
        elif op.name not in VIEWS or not self._view(step, op, operands):
            self._compute(step, op, operands, number)
        self._bury(step, number)

    def _fold(self, step: Step, op: Op, operands: Sequence[Any]) -> None:
        """Compute what does not depend on leaves, once."""
        found = op.kernel(np, *operands)
        self._arrays[step.node] = found if isinstance(found, tuple) else np.asarray(found)
        if isinstance(op, Literal):
            self._arrays[step.node].flags.writeable = False
        self._constant.add(step.node)
        self._root[step.node] = step.node
        self._alive[step.node] = 1

    def _share(self, step: Step, array: Any) -> None:
        """Note a value that lies in the memory of the first operand."""
        root = self._root[step.operands[0]]
        self._arrays[step.node], self._root[step.node] = array, root
        self._alive[root] += 1

    def _view(self, step: Step, op: Op, operands: Sequence[Any]) -> bool:
        """Bind a step that costs nothing, if its result is a view."""
        array = op.kernel(np, *operands)
        if array.size and not np.may_share_memory(array, operands[0]):
            return False
        self._share(step, array)
        return True

    def _compute(self, step: Step, op: Op, operands: Sequence[Any], number: int) -> None:
        types = self._plan.graph.types[step.node]
        if isinstance(types, tuple):
            pairs = [self._new(found) for found in types]
            out: Any = tuple(array for _, array in pairs)
            blocks = [block for block, _ in pairs]
        else:
            blocks, out = self._place(step, op, types, operands, number)
        self.calls.append(bind_step(op, out, operands))
        self._arrays[step.node], self._root[step.node] = out, step.node
        self._blocks[step.node] = blocks
        self._alive[step.node] = 1

    def _new(self, type: TensorType) -> tuple[np.ndarray, np.ndarray]:
        return self._pool.array(evaluate_shape(type.shape, self._dims), type.dtype)

    def _place(
        self, step: Step, op: Op, type: TensorType, operands: Sequence[Any], number: int
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Return where a result goes: over an operand that dies, if the op allows it, else into memory that is free."""
        shape = evaluate_shape(type.shape, self._dims)
        for node, array in zip(step.operands, operands, strict=True) if op.name in IN_PLACE else ():
            dies = self._root[node] == node and self._alive[node] == 1 and self._ends[node] == number
            if dies and node in self._blocks and array.shape == shape and array.dtype == type.dtype:
                return self._blocks.pop(node), array
        block, array = self._new(type)
        return [block], array

    def _bury(self, step: Step, number: int) -> None:
        """Take back the memory of what nothing reads any more; a result that nothing reads dies at once."""
        for node in {*step.operands, step.node}:
            if self._ends.get(node, -1) <= number:
                root = self._root[node]
                self._alive[root] -= 1
                if not self._alive[root]:
                    for block in self._blocks.pop(root, ()):
                        self._pool.give(block)


def _last_reads(plan: Plan) -> dict[int, int]:
    """Return the number of the last step that reads each value; outputs are read after the last one."""
    found = {operand: number for number, step in enumerate(plan.steps) for operand in step.operands}
    return found | dict.fromkeys(plan.outputs, len(plan.steps))
