"""A state of an elaboration to which it can return."""

from __future__ import annotations

from cnndsl.elaborate.scattered import pieces
from cnndsl.elaborate.state import ModuleScope, State


class Savepoint:
    """The nodes, outputs and names at one point, in an open module."""

    def __init__(self, state: State, scope: ModuleScope) -> None:
        self._state = state
        self._nodes, self._taps, self._modules = len(state.drafts), len(state.taps), len(state.modules)
        self._scopes = [(each, len(each.members), dict(each.labels)) for each in pieces(scope)]
        self._applied = len(state.applied)

    def restore(self) -> None:
        """Undo everything made since, except errors."""
        state = self._state
        for application in state.applied[self._applied :]:
            application.part.times -= 1
        del state.applied[self._applied :]
        del state.drafts[self._nodes :], state.taps[self._taps :], state.modules[self._modules :]
        if state.repairs is not None:
            state.repairs.forget(self._nodes)
        for each, members, labels in self._scopes:
            del each.members[members:]
            each.labels.clear()
            each.labels.update(labels)
