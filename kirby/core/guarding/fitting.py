"""What makes one instance of a daemon another: an instance that does not fit is replaced."""

import hashlib
from dataclasses import dataclass

import msgspec

from kirby.core.nouns import RunPlan, Variable
from kirby.core.records import DaemonOffer
from kirby.core.sealing import identity_of

DIGEST_BYTES = 8  # tells the few definitions of one context apart


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """What an instance was started with; kept in its run folder, so that it can be adopted."""

    generation: int = 0
    package: str = ""
    surroundings: str = ""  # digest of what it finds in its environment; secrets are sealed in it

    @property
    def name(self) -> str:
        """Name the edition that such an instance is of."""
        return f"{self.package} {self.generation} {self.surroundings}"


def fitting_of(offer: DaemonOffer) -> Fitting:
    """Return what an instance has to be started with to be as the offer says."""
    return fitting(offer.plan, offer.generation)


def fitting(plan: RunPlan, generation: int) -> Fitting:
    """Return what an instance of a plan and a generation is started with."""
    variables = [_lasting(each) for each in plan.variables]
    told = msgspec.json.encode([variables, plan.topic_prefix, plan.group, plan.exclusive])
    digest = hashlib.blake2b(told, digest_size=DIGEST_BYTES).hexdigest()
    return Fitting(generation=generation, package=plan.package, surroundings=digest)


def _lasting(variable: Variable) -> Variable:
    """Return a variable without what changes when its secret is only sealed with another key."""
    if not variable.sealed:
        return variable
    return Variable(name=variable.name, value=identity_of(variable.value), sealed=True)
