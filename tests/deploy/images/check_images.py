"""`make check-images`: carries out the Dockerfiles' steps where no container engine is at hand.

Each stage is an overlay over this machine's root file system, in place of the base image: this Python is laid where the
base image has its own, and must be of the same minor version; Node.js is this machine's. RUN steps run in it as root,
COPY steps fill it. The last stage is then mounted read-only, with an empty /tmp, and entered as the Dockerfile's user
without privileges: there the entry point must show its configuration, become alive as its health check sees it and
ready against a real broker and the emulator, and stop on SIGTERM. What stays unproven is the base image itself: a
library that this machine has and the slim image lacks would be missed.

Needs root on Linux (mount, chroot), and says so elsewhere.
"""

import asyncio
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.images.dockerfile import Instruction, Stage, read
from tests.servers.aws import AwsAccount, MinistackServer
from tests.servers.broker import MosquittoServer

from sensorcast_local.stack import deploy_stack

ROOT = Path(__file__).parents[3]
DOCKERFILES = {path.parent.name: path for path in sorted(ROOT.glob("services/*/Dockerfile"))} | {
    "local": ROOT / "deploy" / "local" / "Dockerfile"
}
EXCLUDED = (".git", ".venv", ".tools", "node_modules", "__pycache__", "*.egg-info", "build", "dist", "page")
NO_PACKAGES = "apt-get "
"""Such steps are left out: the packages must be on this machine instead, and the imports prove it."""

START_SECONDS = 120.0


def say(line: str) -> None:
    """Tell how far the check is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def sh(*command: str, **options: object) -> None:
    """Run a command; its failure ends the check."""
    subprocess.run(command, check=True, **options)  # type: ignore[call-overload]


class Machine:
    """File systems of stages, in an own mount namespace.

    Args:
        folder: Where what differs from this machine is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots: dict[str, Path] = {}

    def build(self, stages: list[Stage]) -> Path:
        """Carry out all stages; the root of the last one."""
        root = self.folder
        for number, stage in enumerate(stages):
            root = self._begin(f"stage{number}", stage)
            self.roots[stage.name or str(number)] = root
            self._carry_out(root, stage)
        return root

    def _begin(self, name: str, stage: Stage) -> Path:
        layers = {part: self.folder / name / part for part in ("upper", "work", "root")}
        for layer in layers.values():
            layer.mkdir(parents=True)
        options = f"lowerdir=/,upperdir={layers['upper']},workdir={layers['work']}"
        root = layers["root"]
        sh("mount", "-t", "overlay", "overlay", "-o", options, str(root))
        sh("mount", "--bind", "/dev", str(root / "dev"))
        sh("mount", "-t", "proc", "proc", str(root / "proc"))
        for place in ("src", "tmp", "build", "wheels", "opt/sensorcast", "data"):
            target = root / place
            if target.exists():
                sh(
                    "mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(target)
                ) if place == "tmp" else shutil.rmtree(target)
        kind, _, version = stage.base.partition(":")
        if kind == "python":
            self._lay_python(root, version)
        return root

    @staticmethod
    def _lay_python(root: Path, version: str) -> None:
        """Put this Python where the base image has its own: a copy of the program, and a link to its library."""
        wanted, here = ".".join(version.split(".")[:2]), ".".join(platform.python_version_tuple()[:2])
        if wanted != here:
            sys.exit(f"python:{version}: run this with Python {wanted}, not {here}")
        prefix = Path(sys.base_prefix)
        for name in ("python", "python3"):
            program = root / "usr/local/bin" / name
            program.unlink(missing_ok=True)
            shutil.copy2((prefix / "bin" / f"python{here}").resolve(), program)
        library = root / "usr/local/lib" / f"python{here}"
        if library.exists():
            shutil.rmtree(library)
        library.symlink_to(prefix / "lib" / library.name)
        for parent in [library.resolve(), *library.resolve().parents]:
            inside_root = root / str(parent).lstrip("/")
            inside_root.chmod(inside_root.stat().st_mode | 0o555)  # everybody may read it, as in the base image

    def _carry_out(self, root: Path, stage: Stage) -> None:
        where = "/"
        env: dict[str, str] = {}
        for each in stage.instructions:
            if each.name == "WORKDIR":
                where = each.text
                (root / where.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif each.name == "ENV":
                env |= dict(word.split("=", 1) for word in each.words())
            elif each.name == "COPY":
                self._copy(root, where, each)
            elif each.name == "RUN" and NO_PACKAGES not in each.text:
                say(f"    RUN {each.text[:110]}")
                sh("chroot", str(root), "/bin/sh", "-ec", f"cd {where} && {each.text}", env=inside(env))

    def _copy(self, root: Path, where: str, each: Instruction) -> None:
        words = each.words()
        flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
        *sources, target = [word for word in words if not word.startswith("--")]
        to = root / (Path("/") / where / target).as_posix().lstrip("/")
        origin = self.roots[flags["from"]] if "from" in flags else ROOT
        for source in sources:
            path = origin / source.lstrip("/")
            if path.is_dir():
                ignored = () if "from" in flags else EXCLUDED
                shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*ignored))
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)
        if "chown" in flags:
            sh("chown", "--recursive", flags["chown"], str(to))


def inside(env: dict[str, str]) -> dict[str, str]:
    """The variables of a step: the Dockerfile's, and those with which this machine reaches package registries."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - passed on to pip and npm
        if name.lower().startswith(("pip_", "npm_", "node_", "http", "no_proxy", "ssl_"))
    }
    return {
        **kept,
        "PIP_QUIET": "1",
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        **env,
    }


def check(name: str, root: Path, last: Stage, backends: dict[str, str]) -> None:
    """Enter the finished image as its user, read-only, and see that the entry point works."""
    tmp = root / "tmp"
    sh("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(tmp))
    sh("mount", "-o", "remount,ro,bind", str(root))
    env = {"PATH": "/usr/bin:/bin", **last.pairs("ENV")}
    user, _, group = last.last("USER").text.partition(":")
    enter = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    enter = [shutil.which("chroot") or "/usr/sbin/chroot", str(root), *enter]
    for path in ("/", "/opt/sensorcast", "/usr"):
        refused = subprocess.run([*enter, "touch", f"{path}/written"], env=env, capture_output=True, check=False)
        if refused.returncode == 0:
            sys.exit(f"{name}: {path} can be written")
    entry = last.last("ENTRYPOINT").words()
    argument = "--print-config" if name != "local" else "--help"
    sh(*enter, *entry, argument, env=env, stdout=subprocess.DEVNULL)
    if name == "local":
        return
    with started([*enter, *entry], env | backends) as process:
        probe = last.last("HEALTHCHECK").text.partition("CMD ")[2]
        command = [*enter, *Instruction(name="CMD", text=probe).words()]
        wait_for(name, process, command, env)
        wait_for(name, process, [*command, "/readyz"], env)
        process.send_signal(signal.SIGTERM)
        if process.wait(START_SECONDS) != 0:
            sys.exit(f"{name}: SIGTERM ends it with exit code {process.returncode}")


@contextmanager
def started(command: list[str], env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is killed at the end, if it still runs."""
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def backing() -> Iterator[dict[str, str]]:
    """The emulator with the stack, and a broker; the variables with which a service reaches them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MinistackServer(state_dir=Path(folder) / "aws") as aws,
        MosquittoServer(state_dir=Path(folder) / "mqtt") as broker,
    ):
        account = aws.new_account()
        asyncio.run(deploy(account))
        yield {**account.env, "SENSORCAST_MQTT_URL": broker.url}


async def deploy(account: AwsAccount) -> None:
    """Make the queues and tables."""
    async with account.aws.client("cloudformation") as cloudformation:
        await deploy_stack(cloudformation)


def wait_for(name: str, process: subprocess.Popen[bytes], probe: list[str], env: dict[str, str]) -> None:
    """Ask as the health check does until the answer is yes."""
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(probe, env=env, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            printed = process.stderr.read().decode(errors="replace")[-3000:] if process.stderr else ""
            sys.exit(f"{name}: does not answer (exit code {process.poll()}):\n{printed}")
        time.sleep(0.3)


def unmount(folder: Path) -> None:
    """Take away every mount below `folder`, the innermost first."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            sh("umount", "--lazy", point)


def size(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


def main(names: list[str]) -> None:
    """Check these images, or all."""
    with backing() as backends:
        for name in names or list(DOCKERFILES):
            check_one(name, backends)


def check_one(name: str, backends: dict[str, str]) -> None:
    """Build and check an image."""
    began = time.monotonic()
    stages = read(DOCKERFILES[name])
    say(f"{name}: {DOCKERFILES[name].relative_to(ROOT)}")
    folder = Path(tempfile.mkdtemp(prefix="sensorcast-image-"))
    try:
        root = Machine(folder).build(stages)
        mebibytes = size(root / "opt/sensorcast") / 2**20
        check(name, root, stages[-1], backends)
    finally:
        unmount(folder)
        sh("rm", "-rf", "--one-file-system", str(folder))
    seconds = time.monotonic() - began
    say(f"{name}: works read-only as another user; adds {mebibytes:.0f} MiB; {seconds:.0f} s")


if __name__ == "__main__":
    if sys.platform != "linux" or os.geteuid() != 0:
        sys.exit("check-images mounts and enters file systems: it needs root on Linux")
    if "--inside" not in sys.argv:  # mounts are seen by this process only
        os.execvp(
            "unshare",
            ["unshare", "--mount", sys.executable, "-m", "tests.deploy.images.check_images", "--inside", *sys.argv[1:]],
        )
    main([name for name in sys.argv[1:] if name != "--inside"])
