"""What is measured of a script, against what the kernel itself reports."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.projects import ProjectFolder, Ran

WRITE = "open('/opt/ml/processing/output/done.txt', 'w').write('x')\n"
# Prints a figure of /proc/self in megabytes.
TELL = """
def tell(file, key):
    with open("/proc/self/" + file) as lines:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(key))

def hold(size, seconds):
    block = bytearray(size)
    for page in range(0, size, 4096):
        block[page] = 1
    time.sleep(seconds)
    return block
"""


def run_script(project: ProjectFolder, script: str, **step: object) -> Ran:
    project.declare_step("import os, time\n" + TELL + dedent(script) + WRITE, **step)
    return project.run_step()


class TestPeakMemory:
    """Within 5 % of the kernel's figure."""

    def test_of_one_process_that_held_it_for_a_moment(self, project: ProjectFolder) -> None:
        ran = run_script(project, "del [hold(300_000_000, 0)][:]\nprint(tell('status', 'VmHWM'))\n")
        assert ran.step.usage.peak_rss_mb == pytest.approx(float(ran.stdout()), rel=0.05)

    def test_of_forks_which_share_what_they_were_born_with(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            """
            shared = hold(100_000_000, 0)
            print(tell("status", "VmHWM"))
            holding, has_grown = os.pipe()
            release, keep = os.pipe()
            for _ in range(3):
                if os.fork() == 0:
                    os.close(keep)
                    own = hold(60_000_000, 0)
                    os.write(has_grown, b"x")
                    os.read(release, 1)
                    os._exit(0)
            for _ in range(3): os.read(holding, 1)
            time.sleep(1.5)
            os.close(keep)
            for _ in range(3): os.wait()
            """,
        )
        expected = float(ran.stdout()) + 3 * 60
        assert ran.step.usage.peak_rss_mb == pytest.approx(expected, rel=0.05)

    def test_of_programs_that_a_fork_became(self, project: ProjectFolder) -> None:
        code = (
            TELL + "import time\nblock = hold(80_000_000, 0)\nprint('held', flush=True)\n"
            "input()\nprint(tell('smaps_rollup', 'Pss:'))"
        )
        ran = run_script(
            project,
            f"""
            import subprocess, sys
            block = hold(100_000_000, 0)
            run = [sys.executable, "-S", "-c", {code!r}]
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            programs = [subprocess.Popen(run, **pipes) for _ in range(2)]
            for program in programs: program.stdout.readline()
            time.sleep(1.5)
            own = tell("smaps_rollup", "Pss:")
            print(own + sum(float(program.communicate("\\n")[0]) for program in programs))
            """,
        )
        assert ran.step.usage.peak_rss_mb == pytest.approx(float(ran.stdout()), rel=0.05)

    def test_of_forks_that_copy_what_they_shared(self, project: ProjectFolder) -> None:
        ran = run_script(
            project,
            """
            block = hold(60_000_000, 0)
            for _ in range(3):
                if os.fork() == 0:
                    for page in range(0, len(block), 4096): block[page] = 2
                    time.sleep(20)
            time.sleep(20)
            """,
            memory="150MB",
        )
        assert ran.codes == ["X204"]


def test_a_gigabyte_a_second_is_stopped_in_time(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        """
        blocks = []
        begun = time.monotonic()
        while True:
            blocks.append(hold(10_000_000, 0))
            ahead = len(blocks) * 0.01 - (time.monotonic() - begun)
            time.sleep(max(0, ahead))
        """,
        memory="500MB",
    )
    assert ran.codes == ["X204"]
    assert ran.step.usage.peak_rss_mb < 1000


def test_the_kernel_would_end_the_script_first(project: ProjectFolder) -> None:
    ran = run_script(project, "print(open('/proc/self/oom_score_adj').read().strip())\n")
    assert ran.stdout() == "1000\n"


def test_cpu_time_of_processes_that_have_ended_counts(project: ProjectFolder) -> None:
    ran = run_script(
        project,
        """
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                while time.process_time() < 0.2: pass
                os._exit(0)
            os.waitpid(pid, 0)
        """,
    )
    assert ran.step.usage.cpu_s >= 0.6
