"""`make manifests`: renders the plain manifests from the chart."""

import sys

from tests.deploy.k8s import helm

if __name__ == "__main__":
    if helm.find() is None:
        sys.exit("helm is not installed, and Go, which builds it, neither")
    target = helm.MANIFESTS / "sensorcast.yaml"
    target.write_text(helm.plain(), encoding="utf-8")
    sys.stdout.write(f"{target.relative_to(helm.ROOT)}: rendered\n")
