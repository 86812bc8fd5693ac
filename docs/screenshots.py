"""Takes the pictures of the docs: runs the example and opens its runs in MLflow's UI.

    sudo apt-get install chromium chromium-driver
    uv run --with selenium python docs/screenshots.py

Works on a copy of the example in a temporary folder; writes docs/images/*.png.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PORT = 5099
REPORT_SECONDS = 10  # its plots are drawn in a frame of its own
EXPAND_RUN = "button[data-component-id*='runnamecellrenderer']"
TOOL = [sys.executable, "-m", "mlvalidate"]


def run_example(folder: Path) -> dict[str, Any]:
    """Run the example twice, once with real rows, and return the result of the second run."""
    project = folder / "churn"
    shutil.copytree(ROOT / "examples" / "churn", project, ignore=shutil.ignore_patterns(".mlv*"))
    command = [*TOOL, "test-pipeline", "-C", str(project), "--json"]
    subprocess.run([*command, "--data", "sample"], check=True, capture_output=True)
    done = subprocess.run(command, check=True, capture_output=True)
    result: dict[str, Any] = json.loads(done.stdout)
    wait_for_reports(project / ".mlvalidate" / "runs" / result["run_id"] / "tracking.jsonl")
    return result


def wait_for_reports(log: Path) -> None:
    """Wait until the reports of a run are recorded; they come after everything else."""
    deadline = time.monotonic() + 600
    while '"op":"reports"' not in log.read_text():
        if time.monotonic() > deadline:
            sys.exit("the reports of the example did not come")
        time.sleep(1)


@contextmanager
def served(project: Path) -> Iterator[str]:
    """Serve MLflow's UI on the project's store; give its address."""
    process = subprocess.Popen(
        [*TOOL, "ui", "-C", str(project), "--port", str(PORT)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Start Chromium without a screen and without any call to the outside."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "/usr/bin/chromium"
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--no-first-run", "--window-size=1400,900",
    ):  # fmt: skip
        options.add_argument(flag)
    driver_path = shutil.which("chromedriver")
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


def take(
    driver: webdriver.Chrome,
    name: str,
    url: str,
    text: str,
    height: int,
    click: str = "",
    wait: float = 2,
) -> None:
    """Open a page, wait for a text on it, click on something, and save a picture."""
    driver.set_window_size(1400, height)
    driver.get("about:blank")
    driver.get(url)
    WebDriverWait(driver, 60).until(lambda d: text in d.find_element(By.TAG_NAME, "body").text)
    close_assistant(driver)
    if click:
        driver.find_element(By.CSS_SELECTOR, click).click()
    time.sleep(wait)
    IMAGES.mkdir(exist_ok=True)
    driver.save_screenshot(str(IMAGES / f"{name}.png"))


def close_assistant(driver: webdriver.Chrome) -> None:
    """Close MLflow's chat panel, which is open at first and has nothing to do with us."""
    for label in ("Close", "close"):
        for button in driver.find_elements(By.CSS_SELECTOR, f"[aria-label*='{label}']"):
            try:
                button.click()
            except WebDriverException:
                continue


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        result = run_example(Path(folder))
        run_path = result["run_url"].partition("/#/")[2].partition("?")[0]
        mode = "?workflowType=machine_learning"
        with served(Path(folder) / "churn") as address, browser() as driver:
            base = address.partition("/#/")[0]
            runs = f"{base}/#/{run_path.partition('/runs/')[0]}/runs{mode}"
            take(driver, "mlflow-runs", runs, "churn", 760, click=EXPAND_RUN)
            take(driver, "mlflow-run", f"{base}/#/{run_path}{mode}", "Child runs", 1000)
            step = step_path(Path(folder) / "churn", "preprocess")
            take(driver, "mlflow-memory", f"{base}/#/{step}/system-metrics{mode}", "rss", 700)
            table = f"{base}/#/{step}/artifacts/data/train/train.csv.json{mode}"
            take(driver, "mlflow-artifacts", table, "customer_id", 700)
            report = f"{base}/#/{step}/artifacts/reports/train/train.csv.html{mode}"
            take(driver, "mlflow-report", report, "train.csv.html", 1000, wait=REPORT_SECONDS)


def step_path(project: Path, node: str) -> str:
    """Return the path of the newest run of a node in the UI."""
    from mlflow import MlflowClient

    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    client = MlflowClient(f"sqlite:///{project}/.mlvalidate/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "churn"]
    found = client.search_runs(
        [experiment.experiment_id], f"tags.`mlvalidate.node` = '{node}'", max_results=1
    )
    return f"experiments/{experiment.experiment_id}/runs/{found[0].info.run_id}"


if __name__ == "__main__":
    main()
