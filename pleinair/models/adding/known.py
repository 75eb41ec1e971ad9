"""What artists bring that nothing here runs: what it is, in words, and the shortest way to a file that does run.

Only words: by now the file was refused. Its name may be believed here, since nothing follows from it but a sentence.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from ...core.errors import ModelFault
from ..safe.what import LFS
from .found import clean, refuse

_GGUF = "ask for it as GGUF, or make one: llama.cpp's convert_hf_to_gguf.py FOLDER; then add that"
_ONNX = "ask for the ONNX file that it was made of: most of its kind are"
_OPENVINO = (
    "ask for the ONNX that it was made of; or, in an environment of its own, pip install onnxifier, and "
    "onnxify {} m.onnx (which knows most layers, not all)"
)
_DIFFUSION = "nothing here runs diffusion models yet; paint with it elsewhere, and show its films as a source"
_UNFINISHED = (".part", ".crdownload", ".download", ".partial", ".aria2", ".incomplete", ".opdownload", ".tmp")
_ANSWER = 1 << 16

# Ending -> what it is, what to do. "{}" is the file's own name
_ENDINGS: dict[str, tuple[str, str]] = {
    ".h5": (
        "it is a network of Keras",
        "tf2onnx makes ONNX of it: python -m tf2onnx.convert --keras {} --output m.onnx. Teachable Machine: export it "
        "again, as TensorFlow.js",
    ),
    ".ts": ("it is TorchScript (a RAVE, an nn~ model): a program, and none is run here", "is there an ONNX of it?"),
    ".torchscript": ("it is TorchScript: a program, and none is run here", "export it as ONNX: torch.onnx.export"),
    ".mlmodel": ("it is a network of Core ML, which only Apple's computers run", _ONNX),
    ".xml": ("it is a network of OpenVINO; its numbers are in the .bin beside it", _OPENVINO),
    ".param": ("it is a network of NCNN; its numbers are in the .bin beside it", _ONNX),
    ".pb": ("it is a frozen graph of TensorFlow", "tf2onnx makes ONNX of it: python -m tf2onnx.convert --graphdef {}"),
    ".caffemodel": ("it is a network of Caffe", _ONNX),
    ".mnn": ("it is a network of MNN", _ONNX),
    ".engine": ("it is a TensorRT engine, which runs on the graphics card that it was built for", _ONNX),
    ".weights": ("it is weights of Darknet (an early YOLO)", "ask for an ONNX export of it"),
    ".pdparams": ("it is weights of PaddlePaddle", "paddle2onnx makes ONNX of them"),
    ".pkl": ("it is a pickle, which can run anything (a StyleGAN's, perhaps)",
             "in the program that it was trained with, export the generator (G_ema) as ONNX: torch.onnx.export; "
             "`imagine` walks through that"),
    ".pt": ("it is a torch file: a pickle, which can run anything",
            "ask for ONNX or safetensors. A YOLO: yolo export model={} format=onnx"),
    ".ckpt": ("it is a checkpoint of torch: a pickle, which can run anything", "ask for the same as safetensors"),
    ".litertlm": ("it is a language model of LiteRT's", "ask for the same one as GGUF"),
    ".dduf": ("it is a diffusion pipeline in one file", _DIFFUSION),
}  # fmt: skip
_ENDINGS |= {".keras": _ENDINGS[".h5"], ".hdf5": _ENDINGS[".h5"], ".trt": _ENDINGS[".engine"]}
_ENDINGS |= {".plan": _ENDINGS[".engine"], ".pth": _ENDINGS[".pt"]}

_WHISPER_PT = re.compile(r"(tiny|base|small|medium|large|turbo)([.-](en|v\d|v\d-turbo))?\.pt", re.I)
_CT2 = "ct2-transformers-converter --model FOLDER --output_dir my-whisper --copy_files tokenizer.json"


def file(place: Path, fault: ModelFault) -> ModelFault:
    """Why a file that was refused is of no use here, and what to do: better words than `fault`, or `fault` itself."""
    ending = place.suffix.lower()
    if ending in _UNFINISHED:
        return refuse(place.name, "it is a download that has not finished", "let it finish, or download it once more")
    with open(place, "rb") as stream:
        head = stream.read(_ANSWER)
    if head.startswith(LFS) or b"<html" in head[:512].lower():
        return fault
    if head[:4] == b"lmgg":
        return refuse(
            place.name,
            "it is a network of whisper.cpp (GGML)",
            "ask for the same Whisper for faster-whisper (CTranslate2)",
        )
    if place.name.endswith(".safetensors.index.json"):
        return refuse(place.name, "it lists the pieces that a large model was cut into, and holds none", _GGUF)
    if ending not in (".json", ".xml", ".param") and (said := _answer(head)):
        return refuse(
            place.name, f"it is an answer of the place that it came from, and no model: {said}",
            "open its page, and look whether it wants you to sign in or to accept terms",
        )  # fmt: skip
    if _WHISPER_PT.fullmatch(place.name):
        return refuse(
            place.name, "it is a Whisper of OpenAI's as a torch file: a pickle, which can run anything",
            f"the same one is on the hub as safetensors; then: {_CT2}",
        )  # fmt: skip
    if ending == ".bin":
        beside = next((place.with_suffix(e) for e in (".xml", ".param") if place.with_suffix(e).is_file()), None)
        if beside is not None or "torch file" in fault.what:
            ending = beside.suffix if beside else ".pt"
    if ending in _ENDINGS:
        what, hint = _ENDINGS[ending]
        its = place.with_suffix(ending).name if ending == ".xml" else place.name
        return refuse(place.name, what, hint.replace("{}", its))
    if ending == ".bin" and (place.parent / "model.json").is_file():
        return refuse(
            place.name, "it is the numbers of the model.json beside it", f"pleinair models add {place.parent.name}"
        )
    if ending in (".data", ".onnx_data") or place.name.endswith(".onnx.data"):
        return refuse(place.name, "it is the numbers of an ONNX file beside it", "add the .onnx file: it finds these")
    if " is wanted here" in fault.what:  # a format that is known, and no model
        is_what = fault.what.partition(" cannot be used: ")[2].partition(", and ")[0]
        return refuse(place.name, f"{is_what}, and no model", "name the model that it lies beside, or their folder")
    return fault


def _answer(head: bytes) -> str:
    """A short text where a model should be, as a quotation; "" for anything longer."""
    if len(head) > 2000 or not head.strip():
        return ""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    printable = all(c.isprintable() or c in "\r\n\t" for c in text)
    return f'"{clean(text, 120)}"' if printable and not text.startswith(("[net]", "7767517")) else ""


def folder(place: Path) -> ModelFault:
    """Why a folder is of no use here, and what to do."""
    names = sorted(p.name for p in place.iterdir()) if place.is_dir() else []
    lower = [n.lower() for n in names]
    config = _settings(place / "config.json")
    family = clean(config.get("model_type"), 40)
    if not names:
        return refuse(place.name, "it is empty")
    if "model_index.json" in names:
        kind = clean(_settings(place / "model_index.json").get("_class_name"), 60) or "diffusers"
        return refuse(place.name, f"it is a diffusion pipeline ({kind})", _DIFFUSION)
    if any(n.startswith("TF_LITE_") or n == "TOKENIZER_MODEL" for n in names):
        return refuse(place.name, "it is a language model of MediaPipe's (LiteRT)", "ask for the same one as GGUF")
    if "saved_model.pb" in names:
        how = f"python -m tf2onnx.convert --saved-model {place.name} --output m.onnx"
        return refuse(place.name, "it is a SavedModel of TensorFlow", f"tf2onnx makes ONNX of it: {how}")
    if place.suffix == ".mlpackage" or ("Manifest.json" in names and "Data" in names):
        return refuse(place.name, "it is a network of Core ML, which only Apple's computers run", _ONNX)
    if family == "whisper":
        return refuse(place.name, "it is a Whisper for transformers; here it is run by CTranslate2", _CT2)
    if any(n.endswith(".safetensors.index.json") for n in lower) or re.search(
        r"-0*1-of-\d+\.safetensors", " ".join(lower)
    ):
        return refuse(place.name, f"it is a large model ({family or 'of no family it names'}) in pieces", _GGUF)
    if "pytorch_model.bin" in names:
        return refuse(
            place.name, "its weights are a torch file: a pickle, which can run anything",
            "ask for the same as safetensors, ONNX or GGUF; the hub's own converter makes safetensors",
        )  # fmt: skip
    for ending in (".xml", ".param"):
        if any(n.endswith(ending) for n in lower) and any(n.endswith(".bin") for n in lower):
            what, hint = _ENDINGS[ending]
            its = next(n for n in names if n.lower().endswith(ending))
            return refuse(place.name, what.partition(";")[0], hint.replace("{}", its))
    if any(n.endswith((".h5", ".keras")) for n in lower):
        what, hint = _ENDINGS[".h5"]
        return refuse(place.name, what, hint.replace("{}", next(n for n in names if n.endswith((".h5", ".keras")))))
    if torch := [n for n in names if n.lower().endswith((".pt", ".pth", ".ckpt", ".pkl"))]:
        return refuse(
            place.name, f"it holds {torch[0]}: a pickle, which can run anything", "ask for ONNX or safetensors"
        )
    told = ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
    return refuse(
        place.name, f"nothing in it is a model that is known here ({clean(told)})", "docs/weights.md names them"
    )


def several(place: Path, inside: list[Path], packed: str = "") -> ModelFault:
    """A folder, or a zip of this name, with more than one model in it: which?"""
    told = [str(p.relative_to(place)) for p in inside]
    names = clean(", ".join(told[:8]) + (" ..." if len(told) > 8 else ""))
    first = f"unzip {packed}, then: " if packed else ""
    if any(n.startswith(("encoder", "onnx/encoder")) for n in told) and any("decoder" in n for n in told):
        why = f"it is one network in two halves, which nothing here joins: {names}"
        return refuse(packed or place.name, why, f"a Whisper: {_CT2}")
    hint = f"{first}name the one that it is: pleinair models add {told[0] if packed else inside[0]}"
    return refuse(packed or place.name, f"there are {len(told)} models in it: {names}", hint)


def _settings(place: Path) -> dict:
    try:
        with open(place, "rb") as stream:
            told = json.loads(stream.read(1 << 20))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
