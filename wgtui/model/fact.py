"""What is a fact: a frozen dataclass with slots, made without the price of one.

The standard library writes six functions for every dataclass and compiles each of them at every
start: a millisecond a class, and a hundred classes stand behind ``wgtui lookup``. This one
is the same to all who use it, and to mypy; it compiles one function, the constructor, and shares
the others. What ``dataclasses.fields`` and ``replace`` need is made when they are first asked.

It does ``@dataclass(frozen=True, slots=True)`` for classes without bases and factories; everything
else is left to the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    from dataclasses import MISSING, Field, FrozenInstanceError, field, make_dataclass
    from operator import attrgetter

    def dataclass(**options):
        """``dataclasses.dataclass``, or what is the same and cheaper."""

        def made(cls):
            defaults = {name: cls.__dict__.get(name, MISSING) for name in cls.__annotations__}
            simple = cls.__bases__ == (object,) and not any(
                isinstance(value, Field) for value in defaults.values()
            )
            if options == {"frozen": True, "slots": True} and simple and defaults:
                return _fact(cls, defaults)
            return dataclasses.dataclass(**options)(cls)

        return made

    def _fact(cls, defaults):
        names = tuple(defaults)
        space = {
            name: value
            for name, value in cls.__dict__.items()
            if name not in (*names, "__dict__", "__weakref__")
        }
        getter = attrgetter(*names) if len(names) > 1 else _alone(names[0])
        shared = {
            "__slots__": names,
            "__match_args__": names,
            "__dataclass_fields__": _Fields(defaults),
            "__setattr__": _frozen,
            "__delattr__": _frozen,
            "__eq__": _equal(getter),
            "__hash__": lambda self: hash(getter(self)),
            "__repr__": _repr(names),
            "__reduce__": lambda self: (type(self), getter(self)),
        }
        fact = type(cls)(cls.__name__, (), {**shared, **space})
        fact.__qualname__ = cls.__qualname__
        fact.__init__ = _constructor(fact, defaults)
        return fact

    def _constructor(fact, defaults):
        """The one function that is compiled: the slots are set by their own descriptors."""
        space = {f"set_{name}": getattr(fact, name).__set__ for name in defaults}
        words, lines = [], []
        for name, default in defaults.items():
            space[f"default_{name}"] = default
            words.append(name if default is MISSING else f"{name}=default_{name}")
            lines.append(f" set_{name}(self, {name})")
        if hasattr(fact, "__post_init__"):
            lines.append(" self.__post_init__()")
        exec(f"def __init__(self, {', '.join(words)}):\n" + "\n".join(lines), space)
        constructor = space["__init__"]
        constructor.__qualname__ = f"{fact.__qualname__}.__init__"
        return constructor

    class _Fields:
        """``__dataclass_fields__``, made by the library when somebody asks for it."""

        def __init__(self, defaults):
            self.defaults = defaults

        def __get__(self, _, cls):
            known = [
                (name, cls.__annotations__[name], field(default=default))
                for name, default in self.defaults.items()
            ]
            quick = {"init": False, "repr": False, "eq": False, "match_args": False}
            told = {"__doc__": cls.__doc__}  # else its signature is worked out, for a docstring
            fields = make_dataclass(cls.__name__, known, namespace=told, **quick)
            fields = fields.__dataclass_fields__
            cls.__dataclass_fields__ = fields
            return fields

    def _alone(name):
        value = attrgetter(name)
        return lambda self: (value(self),)

    def _equal(getter):
        def equal(self, other):
            if other.__class__ is self.__class__:
                return getter(self) == getter(other)
            return NotImplemented

        return equal

    def _repr(names):
        def text(self):
            said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__qualname__}({said})"

        return text

    def _frozen(self, name, *_):
        raise FrozenInstanceError(f"cannot change {name!r} of a fact")


__all__ = ["dataclass"]
