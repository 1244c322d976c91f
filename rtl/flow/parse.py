"""What RTL given by others contains: modules, parameters and ports, and what is wrong with it, before any tool runs it.

found = parse([Path("my_block.sv")], top="my_block", parameters={"W": 8})
found.parameters, found.ports, found.warnings
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from archgym.errors import InvalidInput, MissingDependency, UnknownName
from archgym.rtl.flow.comments import comment_of
from archgym.rtl.flow.safety import check_texts

if TYPE_CHECKING:
    import pyslang
    from pyslang import ast

__all__ = ["Parsed", "RtlError", "RtlParameter", "RtlPort", "parse"]


# Slang's names: what it warns of by itself, what nothing drives or reads, latches, and bits that are cut off.
_WARNINGS = ("default", "unused", "inferred-latch", "width-trunc")


class RtlError(InvalidInput):
    """Raised for RTL that does not compile; the message begins with file, line and column."""


@final
@dataclass(frozen=True)
class RtlParameter:
    """A parameter of the top that can be set."""

    name: str
    type: str
    value: int | None
    """With the parameters given; None if it is no integer."""
    doc: str = ""


@final
@dataclass(frozen=True)
class RtlPort:
    """A port of the top."""

    name: str
    direction: Literal["in", "out", "inout"]
    width: int
    """Bits, with the parameters given."""
    signed: bool
    doc: str = ""
    enum: str | None = None
    """Of an enumeration: its name as any module may write it (`pkg::type`), or nothing if it has no such name."""


@final
@dataclass(frozen=True)
class Parsed:
    """A top, elaborated with its parameters."""

    top: str
    modules: tuple[str, ...]
    """Every module of the sources."""
    parameters: tuple[RtlParameter, ...]
    ports: tuple[RtlPort, ...]
    warnings: tuple[str, ...]
    """As the compiler says them: file, line, column, sentence and the option that would silence it."""
    doc: str = ""
    """The comment above the top."""


def parse(
    sources: Sequence[Path],
    top: str | None = None,
    parameters: Mapping[str, int] | None = None,
    *,
    include: Sequence[Path] = (),
    allow: Collection[str] = (),
) -> Parsed:
    """Parse, judge and elaborate.

    Args:
        sources: SystemVerilog or Verilog files.
        top: the top; None if only one module is instantiated by no other.
        parameters: values other than the defaults.
        include: folders of include files.
        allow: what the RTL may reach (`archgym.rtl.flow.safety.ALLOWANCES`).

    Raises:
        UnsafeRtl: it reaches outside the simulation.
        RtlError: it does not compile, or refuses these parameters.
        UnknownName: the top or a parameter is not there.
        InvalidInput: no top was named and there are several, or a file cannot be read.
        MissingDependency: pyslang is not installed.
    """
    slang = _slang()
    language = slang.ast.Compilation(slang.Bag())
    check_texts(
        sources, include=include, allow=allow, known=lambda name: language.getSystemSubroutine(name) is not None
    )
    given = dict(parameters or {})
    compiler = _Compiler(slang, [path.resolve() for path in sources], [path.resolve() for path in include])
    first = compiler.compile("", {})
    modules = tuple(each.name for each in first.getDefinitions())
    name = top if top is not None else _only(compiler.tops(first), modules)
    if name not in modules:
        compiler.raise_errors(first)
        raise UnknownName("top module", name, modules)
    plain = compiler.compile(name, {})
    names = [each.name for each in compiler.settable(plain, name)]
    for parameter, value in given.items():
        if parameter not in names:
            compiler.raise_errors(plain)
            raise UnknownName(f"parameter of {name}", parameter, names)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidInput(f"parameter {parameter} = {value!r}; it must be an integer")
    compilation = compiler.compile(name, given) if given else plain
    warnings = compiler.raise_errors(compilation)
    body = compilation.getRoot().topInstances[0].body
    return Parsed(
        name,
        modules,
        tuple(compiler.parameter(each) for each in compiler.settable(compilation, name)),
        tuple(compiler.port(each) for each in body.portList),
        tuple(warnings),
        compiler.doc(body.definition.location),
    )


def _slang() -> Any:
    try:
        import pyslang
        from pyslang import analysis, ast, parsing, syntax  # noqa: F401 - submodules are reached through pyslang
    except ImportError as problem:
        raise MissingDependency("pyslang", "rtl", "reading SystemVerilog") from problem
    return pyslang


def _only(tops: Sequence[str], modules: Sequence[str]) -> str:
    if len(tops) == 1:
        return tops[0]
    if not tops and modules:
        found = ", ".join(modules)
        raise InvalidInput(f"every module of the sources is instantiated by itself or another ({found}); name the top")
    if not tops:
        raise InvalidInput("the sources have no module; give the files that declare it")
    found = ", ".join(tops)
    raise InvalidInput(f"the sources have {len(tops)} modules that no other instantiates ({found}); name the top")


@final
class _Compiler:
    """slang, with the sources read once."""

    def __init__(self, slang: Any, sources: Sequence[Path], include: Sequence[Path]) -> None:
        self._slang = slang
        self._manager = slang.SourceManager()
        for folder in dict.fromkeys(include):
            self._manager.addUserDirectories(str(folder))
        preprocessor = slang.parsing.PreprocessorOptions()
        preprocessor.predefines = ["SYNTHESIS"]
        bag = slang.Bag()
        bag.preprocessorOptions = preprocessor
        self._trees = [slang.syntax.SyntaxTree.fromFile(str(path), self._manager, bag) for path in sources]

    def compile(self, top: str, parameters: Mapping[str, int]) -> ast.Compilation:
        """Elaborate from a top; from every module that no other instantiates if it is empty."""
        options = self._slang.ast.CompilationOptions()
        if top:
            options.topModules = {top}
        options.paramOverrides = [f"{name}={value}" for name, value in parameters.items()]
        bag = self._slang.Bag()
        bag.compilationOptions = options
        compilation: ast.Compilation = self._slang.ast.Compilation(bag)
        for tree in self._trees:
            compilation.addSyntaxTree(tree)
        compilation.getRoot()
        return compilation

    @staticmethod
    def tops(compilation: ast.Compilation) -> list[str]:
        """Modules that no other instantiates."""
        return [each.name for each in compilation.getRoot().topInstances]

    @staticmethod
    def settable(compilation: ast.Compilation, top: str) -> list[Any]:
        """Parameters of the top that are not local."""
        for each in compilation.getRoot().topInstances:
            if each.name == top:
                return [parameter for parameter in each.body.parameters if not parameter.isLocalParam]
        return []

    def raise_errors(self, compilation: ast.Compilation) -> list[str]:
        """The warnings, if there is no error.

        Raises:
            RtlError: the first error, and how many more there are.
        """
        engine = self._slang.DiagnosticEngine(self._manager)
        engine.setWarningOptions(list(_WARNINGS))
        found = list(compilation.getAllDiagnostics())
        errors = [each for each in found if each.isError()]
        if errors:
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise RtlError(f"{self._where(errors[0].location)}{engine.formatMessage(errors[0])}{more}")
        compilation.freeze()
        options = self._slang.analysis.AnalysisOptions()
        options.flags = self._slang.analysis.AnalysisFlags.CheckUnused
        manager = self._slang.analysis.AnalysisManager(options)
        manager.analyze(compilation)
        found += list(manager.getDiagnostics())
        return list(self._warnings(engine, found))

    def _warnings(self, engine: pyslang.DiagnosticEngine, found: Sequence[pyslang.Diagnostic]) -> Iterator[str]:
        for each in found:
            severity = engine.getSeverity(each.code, each.location)
            if severity == self._slang.DiagnosticSeverity.Warning:
                option = engine.getOptionName(each.code)
                yield f"{self._where(each.location)}{engine.formatMessage(each)} [-W{option}]"

    def _where(self, location: pyslang.SourceLocation) -> str:
        place = self._manager.getFullyExpandedLoc(location)
        file = Path(self._manager.getFileName(place)).name
        if not file:
            return ""
        return f"{file}:{self._manager.getLineNumber(place)}:{self._manager.getColumnNumber(place)}: "

    def parameter(self, symbol: Any) -> RtlParameter:
        """What is known of a parameter."""
        if not hasattr(symbol, "value"):  # a type
            return RtlParameter(symbol.name, "type", None, self.doc(symbol.location))
        value = symbol.value.value
        plain = int(value) if isinstance(value, self._slang.SVInt) and not value.hasUnknown else None
        return RtlParameter(symbol.name, str(symbol.type), plain, self.doc(symbol.location))

    def port(self, symbol: Any) -> RtlPort:
        """What is known of a port.

        Raises:
            RtlError: an interface, which has no width.
        """
        if not hasattr(symbol, "direction") or not symbol.type.isIntegral:
            raise RtlError(f"{self._where(symbol.location)}port {symbol.name} is not a vector of bits")
        directions = self._slang.ast.ArgumentDirection
        names: dict[Any, Literal["in", "out", "inout"]] = {directions.In: "in", directions.Out: "out"}
        direction = names.get(symbol.direction, "inout")
        kind, doc = symbol.type, self.doc(symbol.location)
        enum = self._enum(kind) if kind.isEnum else None
        return RtlPort(symbol.name, direction, kind.bitWidth, kind.isSigned, doc, enum)

    @staticmethod
    def _enum(kind: Any) -> str:
        """Its name in a package, behind type parameters and names within modules."""
        while kind.isAlias:
            package, _, name = str(kind.lexicalPath).partition("::")
            if name == kind.name and kind.parentScope.compilation.getPackage(package) is not None:
                return f"{package}::{name}"
            kind = kind.targetType.type
        return ""

    def doc(self, location: pyslang.SourceLocation) -> str:
        """The comment beside or above a declaration."""
        text = self._manager.getSourceText(location.buffer)
        return comment_of(str(text), self._manager.getLineNumber(location))
