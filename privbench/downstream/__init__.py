"""Models trained on a release and judged on real test records."""

from privbench.downstream.models import MODELS, check_label, predict

__all__ = ["MODELS", "check_label", "predict"]
