"""Writes OpenVINO graphs and PMML documents by hand."""

from __future__ import annotations

HEAD = '<?xml version="1.0"?>'


def openvino(kind: str = "ReLU", version: str = "opset1", data: str = "", head: str = HEAD) -> bytes:
    return (
        f'{head}\n<net name="g" version="11"><layers><layer id="0" name="x" type="Parameter" version="opset1"/>'
        f'<layer id="1" name="w" type="Const" version="opset1"><data offset="0" size="8"/></layer>'
        f'<layer id="2" name="y" type="{kind}" version="{version}">{data}</layer></layers><edges/></net>\n'
    ).encode()


def pmml(function: str = "if", extra: str = "", head: str = HEAD) -> bytes:
    return (
        f'{head}\n<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header><Extension name="user" value="me"/>'
        f'</Header><TransformationDictionary>{extra}<DerivedField name="d" optype="continuous" dataType="double">'
        f'<Apply function="{function}"><Constant>1</Constant></Apply></DerivedField></TransformationDictionary></PMML>'
    ).encode()
