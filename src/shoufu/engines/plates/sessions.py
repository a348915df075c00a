"""Opening ONNX models with settings that suit small models beside other work."""

from pathlib import Path

import onnxruntime as ort

Model = str | Path | bytes


def open_session(model: Model, threads: int) -> ort.InferenceSession:
    """An ONNX Runtime session on the CPU. `model`: path of the file or its bytes; `threads`: cores it may use."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait by spinning take the cores from whoever else works here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
