"""What things are called at Amazon Forecast: letters, digits and underscores, at most 63, unique to a stack."""

import hashlib
import re

from sensorcast_forecaster.engines.amazon.build import BuildKey


def resource_name(stack: str, key: BuildKey, build_id: str = "") -> str:
    """A dataset's or group's name, or with a build that of an import, predictor or forecast.

    A tenant or a metric may be called what a name there may not, so a digest stands for both, after some letters of the
    metric for whoever looks at the console.
    """
    digest = hashlib.blake2b(f"{key.tenant}#{key.metric}".encode(), digest_size=5).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9]", "", key.metric)[:10] or "metric"
    parts = [stack.replace("-", "_")[:20], readable, digest, str(key.step_seconds)]
    return "_".join([*parts, build_id] if build_id else parts)
