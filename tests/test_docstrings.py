"""Every parameter, result and error of the public functions is documented, with an example and with types."""

import inspect

import docstring_parser
import pytest

import mnist_nn
from mnist_nn.analysis.robustness import Corruption
from mnist_nn.evaluation import calibration_error, reliability_curve, wilson_interval
from mnist_nn.pictures.loading import open_picture

DOCUMENTED = {name: getattr(mnist_nn, name) for name in mnist_nn.__all__}
DOCUMENTED |= {item.__name__: item for item in (Corruption, open_picture, wilson_interval)}
DOCUMENTED |= {item.__name__: item for item in (calibration_error, reliability_curve)}
EXCEPTIONS = {name for name, item in DOCUMENTED.items() if inspect.isclass(item) and issubclass(item, Exception)}


def parameters(item):
    signature = inspect.signature(item)
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(p.kind, "") + name for name, p in signature.parameters.items() if name != "self"]


def parsed(item):
    return docstring_parser.parse(inspect.getdoc(item) or "", docstring_parser.DocstringStyle.GOOGLE)


@pytest.mark.parametrize("name", sorted(DOCUMENTED.keys() - EXCEPTIONS))
def test_a_public_name_is_documented(name):
    item, doc = DOCUMENTED[name], parsed(DOCUMENTED[name])
    summary = (inspect.getdoc(item) or "").splitlines()[0]
    assert summary.endswith(".")
    assert [param.arg_name for param in doc.params] == parameters(item)
    assert all(param.description for param in doc.params)
    assert [meta for meta in doc.meta if meta.args[0] == "examples"], "has no Example section"
    assert ">>> " in (item.__doc__ or "")
    if inspect.isfunction(item):
        assert doc.returns, "has no Returns section"
        assert doc.returns.description


@pytest.mark.parametrize("name", sorted(name for name, item in DOCUMENTED.items() if inspect.isclass(item)))
def test_public_methods_and_properties_are_documented(name):
    for attribute, member in vars(DOCUMENTED[name]).items():
        function = getattr(member, "func", getattr(member, "fget", member))  # cached properties and properties
        if not attribute.startswith("_") and inspect.isfunction(function):
            assert function.__doc__, f"{name}.{attribute} has no docstring"
            if inspect.isfunction(member):
                assert [param.arg_name for param in parsed(member).params] == parameters(member)


@pytest.mark.parametrize("name", sorted(name for name, item in DOCUMENTED.items() if inspect.isfunction(item)))
def test_public_functions_are_annotated(name):
    function = DOCUMENTED[name]
    missing = [p.name for p in inspect.signature(function).parameters.values() if p.annotation is p.empty]
    assert missing == []
    assert inspect.signature(function).return_annotation is not inspect.Signature.empty
