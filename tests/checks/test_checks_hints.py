"""The hints, on tracebacks that real scripts left with the libraries that are installed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from checks_evidence import (
    CUSTOMERS,
    OUT,
    RAW,
    Crash,
    CrashSite,
    Table,
    make_evidence,
    make_outcome,
    run_alone,
)

from mlvalidate.checks.hints import Advice, advise
from mlvalidate.core.contracts import Access
from mlvalidate.core.execution import Note

FRAME = """
    import pandas as pd
    df = pd.DataFrame({"customer_id": ["a", "b"], "charges": [1.0, 2.0], "plan": ["x", "y"]})
"""
MODEL = (
    FRAME
    + """
    from sklearn.preprocessing import StandardScaler
    from sklearn.compose import ColumnTransformer
    def fit(*names):
        return StandardScaler().fit(pd.DataFrame(dict.fromkeys(names, [1.0, 2.0])))
"""
)

# Each asks a table for the column `charge`, which is called `charges`.
COLUMN_CRASHES = {
    "item": FRAME + "    df['charge']",
    "items-some": FRAME + "    df[['customer_id', 'charge']]",
    "items-none": FRAME + "    df[['charge']]",
    "loc": FRAME + "    df.loc[:, 'charge']",
    "loc-list": FRAME + "    df.loc[:, ['charge', 'plan']]",
    "drop": FRAME + "    df.drop(columns=['charge'])",
    "pop": FRAME + "    df.pop('charge')",
    "attribute": FRAME + "    df.charge",
    "attribute-row": FRAME + "    next(df.itertuples()).charge",
    "set-index": FRAME + "    df.set_index('charge')",
    "sort": FRAME + "    df.sort_values('charge')",
    "merge": FRAME + "    df.merge(df, on='charge')",
    "groupby": FRAME + "    df.groupby('charge').size()",
    "groupby-item": FRAME + "    df.groupby('plan')['charge'].mean()",
    "groupby-items": FRAME + "    df.groupby('plan')[['charge']].mean()",
    "groupby-agg": FRAME + "    df.groupby('plan').agg({'charge': 'mean'})",
    "astype": FRAME + "    df.astype({'charge': float})",
    "dropna": FRAME + "    df.dropna(subset=['charge'])",
    "duplicates": FRAME + "    df.drop_duplicates(subset=['charge'])",
    "melt": FRAME + "    df.melt(id_vars=['charge'])",
    "dummies": FRAME + "    pd.get_dummies(df, columns=['charge'])",
    "query": FRAME + "    df.query('charge > 1')",
    "pivot": FRAME + "    df.pivot(index='charge', columns='plan', values='charges')",
    "usecols": FRAME + "    df.to_csv('u.csv')\n    pd.read_csv('u.csv', usecols=['charge'])",
    "dates": FRAME + "    df.to_csv('d.csv')\n    pd.read_csv('d.csv', parse_dates=['charge'])",
    "index-col": FRAME + "    df.to_csv('i.csv')\n    pd.read_csv('i.csv', index_col='charge')",
    "parquet": FRAME
    + "    df.to_parquet('p.parquet')\n    pd.read_parquet('p.parquet', columns=['charge'])",
    "sklearn-renamed": MODEL + "    fit('charge').transform(df[['charges']])",
    "sklearn-transformer": MODEL
    + "    ColumnTransformer([('n', StandardScaler(), ['charge'])]).fit(df)",
    "sklearn-transformer-late": MODEL
    + "    good = df.rename(columns={'charges': 'charge'})\n"
    + "    ColumnTransformer([('n', StandardScaler(), ['charge'])]).fit(good).transform(df)",
    "row-dict": FRAME + "    df.to_dict('records')[0]['charge']",
    "wrapped": FRAME
    + """
    def load():
        try:
            return df["charge"]
        except KeyError as error:
            raise RuntimeError("loading failed") from error
    load()
    """,
    "while-handling": FRAME
    + """
    try:
        1 / 0
    except ZeroDivisionError:
        df["charge"]
    """,
    "logged": FRAME
    + """
    import logging, sys
    try:
        df["charge"]
    except KeyError:
        logging.exception("it failed")
        logging.error("giving up")
        sys.exit(1)
    """,
    "warned-after": FRAME
    + """
    import atexit, warnings
    atexit.register(lambda: warnings.warn("not closed", ResourceWarning))
    warnings.simplefilter("always")
    df["charge"]
    """,
}


@dataclass(frozen=True)
class Case:
    """A crash, what the hint has to say, and the port that it is about."""

    script: str
    hint: str
    port: str | None = None
    column: str | None = None


OTHER_CRASHES = {
    "environ": Case(
        "import os\nos.environ['MODEL_NAME']",
        "the variable MODEL_NAME is not set: add it to `env` of step clean",
    ),
    "environ-close": Case(
        "import os\nos.environ['MODE_NAME']",
        "the variable MODE_NAME is not set: add it to `env` of step clean; "
        "did you mean 'MODEL_NAMES'?",
    ),
    "environ-wrapped": Case(
        "import os\ntry:\n    os.environ['REGION']\n"
        "except KeyError:\n    raise SystemError('not configured')",
        "the variable REGION is not set: add it to `env` of step clean",
    ),
    "module": Case("import no_such_thing", "install no_such_thing into {python}, or name another"),
    "module-mine": Case(
        "from features.build import x",
        "`module:` with `code_root:` makes features importable if it is your own package",
    ),
    "module-sub": Case("import json.nothing", "json is there, but has no nothing"),
    "module-name": Case(
        "from sklearn.metrics import nothing",
        "sklearn.metrics in {python} has no nothing: it is another version",
    ),
    "relative": Case("from .helpers import x", "run it as a module: `module: package.name`"),
    "file": Case(
        f"open('{RAW}/customer.csv')",
        "input raw (synthetic data) has no 'customer.csv': did you mean 'customers.csv'?",
        "raw",
    ),
    "file-pandas": Case(
        f"import pandas as pd\npd.read_csv('{RAW}/data.csv')",
        "input raw (synthetic data) has no 'data.csv': there is 'customers.csv'",
        "raw",
    ),
    "file-joblib": Case(
        "import joblib\njoblib.load('/opt/ml/processing/model/model.joblib')",
        f"no port of the step is at /opt/ml/processing/model/model.joblib; ports are at {RAW}, "
        f"{OUT}",
    ),
    "file-two": Case(
        "import os\nos.rename('/opt/ml/a', '/opt/ml/b')", "no port of the step is at /opt/ml/a;"
    ),
    "file-outside": Case("open('data/raw.csv')", "data/raw.csv is not part of the container"),
    "folder-in-output": Case(
        f"open('{OUT}/deep/x.csv', 'w')", "make the folder first: os.makedirs(..., exist_ok=True)"
    ),
    "folder-mistyped": Case(
        FRAME + "    df.to_csv('/opt/ml/processing/outpt/x.csv')",
        "no port of the step is at /opt/ml/processing/outpt; ports are at",
    ),
    "program": Case(
        "import subprocess\nsubprocess.run(['no-such-program', '-x'])",
        "the program no-such-program is not on this machine",
    ),
    "json-float": Case(
        "import json, numpy as np\njson.dumps({'auc': np.float32(0.5)})",
        "convert the float32 first: float(x), int(x) or str(x)",
    ),
    "json-array": Case(
        "import json, numpy as np\njson.dumps({'n': np.ones(3)})",
        "convert the ndarray first: x.tolist()",
    ),
    "json-key": Case(
        "import json, numpy as np\njson.dumps({np.int64(1): 1})",
        "convert the numpy.int64 first: float(x), int(x) or str(x)",
    ),
    "encoding": Case(
        "open('l1.txt', 'wb').write(b'caf\\xe9,1')\nopen('l1.txt', encoding='utf-8').read()",
        "the file is not UTF-8, or is no text file",
    ),
    "encoding-pandas": Case(
        "open('l2.txt', 'wb').write(b'caf\\xe9,1\\n')\nimport pandas as pd\npd.read_csv('l2.txt')",
        "the file is not UTF-8, or is no text file",
    ),
    "memory": Case(
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))\nbytearray(2**34)",
        "an allocation failed: raise `memory` of step clean",
    ),
    "memory-numpy": Case(
        "import numpy as np\nnp.ones((10**7, 10**6))", "an allocation failed: raise `memory`"
    ),
    "aws": Case(
        "import boto3\nboto3.client('s3', region_name='us-east-1').list_buckets()",
        "unless `credentials: allow` and `network: allow` stands in step clean",
    ),
    "aws-region": Case("import boto3\nboto3.client('sqs')", "set AWS_DEFAULT_REGION in `env`"),
    "aws-profile": Case(
        "import boto3\nboto3.Session(profile_name='mine')", "steps have no AWS credentials"
    ),
    "module-other-name": Case("import cv2", "install opencv-python-headless into {python}"),
    "merge-keys": Case(
        FRAME + "    df.merge(pd.DataFrame({'plan': [1]}), on='plan')",
        "'plan' is str on one side and int64 on the other: give both one type",
        column="plan",
    ),
    "removed-method": Case(
        FRAME + "    df.append(df)",
        "pandas 2.0 took `append` out: use pd.concat([a, b]). A container with an older pandas",
    ),
    "removed-pandas": Case("import pandas as pd\npd.datetime", "took `pd.datetime` out: import"),
    "removed-alias": Case("import numpy as np\nnp.float", "numpy 1.24 took `np.float` out"),
    "removed-numpy-2": Case("import numpy as np\nnp.NaN", "numpy 2 took `np.NaN` out: use np.nan"),
    "removed-function": Case("import numpy as np\nnp.in1d([1], [1])", "use np.isin"),
    "removed-import": Case(
        "from sklearn.externals import joblib",
        "scikit-learn 0.23 took `sklearn.externals.joblib` out: import joblib",
    ),
    "removed-module": Case(
        "from sklearn.cross_validation import train_test_split", "use sklearn.model_selection"
    ),
    "removed-data": Case("from sklearn.datasets import load_boston", "use other data"),
    "removed-python": Case(
        "from collections import Mapping", "import Mapping from collections.abc"
    ),
    "removed-transform": Case(
        MODEL + "    from sklearn.preprocessing import OneHotEncoder\n"
        "    OneHotEncoder().fit(df[['plan']]).get_feature_names()",
        "use get_feature_names_out",
    ),
    "removed-argument": Case(
        FRAME + "    df.to_csv('n.csv', line_terminator='x')",
        "pandas 2.0 took `to_csv(line_terminator=)` out: use lineterminator",
    ),
    "removed-option": Case(
        "from sklearn.preprocessing import OneHotEncoder\nOneHotEncoder(sparse=False)",
        "scikit-learn 1.4 took `OneHotEncoder(sparse=)` out: use sparse_output",
    ),
    "removed-nameless": Case(
        "from sklearn.metrics import mean_squared_error\n"
        "mean_squared_error([1], [1], squared=False)",
        "use root_mean_squared_error",
    ),
    "renamed-option": Case(
        "from sklearn.ensemble import GradientBoostingClassifier\n"
        "GradientBoostingClassifier(loss='deviance').fit([[1], [2]], [0, 1])",
        "scikit-learn 1.3 renamed loss='deviance': write 'log_loss'",
    ),
    "renamed-frequency": Case(
        "import pandas as pd\npd.date_range('2024-01-01', periods=3, freq='M')",
        "no longer takes the frequency 'M': write 'ME'",
    ),
    "pickle-main": Case(
        "import pickle\npickle.loads(b'c__main__\\nModel\\n.')",
        "put it into a module that both scripts import",
    ),
    "pickle-version": Case(
        "import pickle\npickle.loads(b'\\x80\\x63.')", "pickled with another version of Python"
    ),
    "text-float": Case("float('1,5')", "'1,5' is no number: its comma is decimal"),
    "text-int": Case("int('1.0')", "'1.0' is no number: int() takes no decimal point"),
    "text-null": Case(
        "import pandas as pd\npd.Series(['1', 'n/a']).astype(float)",
        "'n/a' is no number: it stands for a missing value; say so with na_values=['n/a']",
    ),
    "text-category": Case(
        MODEL + "    StandardScaler().fit(df[['plan']])",
        "'x' is no number: encode categories first",
    ),
    "text-parse": Case(FRAME + "    pd.to_numeric(df['plan'])", "'x' is no number: encode"),
    "text-operation": Case(FRAME + "    df['plan'] - 1", "one side is text"),
    "text-concatenated": Case("'a' + 1", "one side is text"),
    "text-mean": Case(FRAME + "    df['plan'].mean()", "a column of texts has no mean"),
    "text-group": Case(
        FRAME + "    df.groupby('plan').mean()",
        "a column of texts has no mean: choose the columns of numbers",
    ),
    "missing-int": Case(
        "import pandas as pd\npd.Series([1.0, None]).astype(int)",
        "values are missing: fill or drop them before this line (whole numbers with gaps",
    ),
    "missing-features": Case(
        "from sklearn.linear_model import LinearRegression\n"
        "LinearRegression().fit([[float('nan')]], [1])",
        "values are missing: fill or drop them before this line",
    ),
    "infinite-features": Case(
        "from sklearn.linear_model import LinearRegression\n"
        "LinearRegression().fit([[float('inf')]], [1])",
        "a value is infinite",
    ),
    "one-class": Case(
        "from sklearn.linear_model import LogisticRegression\n"
        "LogisticRegression().fit([[1], [2]], [0, 0])",
        "all labels that got here are equal",
    ),
    "no-rows": Case(
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
        "LinearRegression().fit(np.zeros((0, 1)), [])",
        "no row got here: look at the filters and joins",
    ),
    "date-format": Case(
        "import pandas as pd\npd.to_datetime(['2024-01-02'], format='%d.%m.%Y')",
        "2024-01-02 is not written as %d.%m.%Y: name the format that the data has",
    ),
    "date-strptime": Case(
        "import datetime\ndatetime.datetime.strptime('2024-01-02', '%d.%m.%Y')",
        "2024-01-02 is not written as %d.%m.%Y",
    ),
    "date-unknown": Case("import pandas as pd\npd.to_datetime(['soon'])", "name the format"),
    "date-month": Case("import pandas as pd\npd.to_datetime(['2024-13-01'])", "name the format"),
    "date-bounds": Case(
        "import pandas as pd\npd.to_datetime(['1500-01-01']).astype('M8[ns]')",
        "nanoseconds reach from 1677 to 2262",
    ),
    "date-zones": Case(
        "import pandas as pd\npd.Timestamp('2024-01-01', tz='UTC') > pd.Timestamp('2024-01-01')",
        "one side has a time zone and the other none",
    ),
    "date-accessor": Case(FRAME + "    df['plan'].dt.year", "the column is no date"),
    "text-accessor": Case(FRAME + "    df['charges'].str.lower()", "the column is no text"),
    # Without a hint: the message says it all, and a wrong hint would mislead.
    "own-dict": Case("settings = {'a': 1}\nsettings['threshold']", ""),
    "own-append": Case("class A: pass\nA().append(1)", ""),
    "own-argument": Case("def fit(x): pass\nfit(1, sparse=True)", ""),
    "group": Case("raise ExceptionGroup('several', [ValueError('one'), KeyError('two')])", ""),
    "assertion": Case("assert False", ""),
}
# Refused by the kernel in a sandbox; here by a closed port and by a name that can't exist.
NETWORK_CRASHES = {
    "urllib": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/x', timeout=5)",
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', 1), timeout=5)",
    "http": "import http.client\nhttp.client.HTTPConnection('127.0.0.1', 1).request('GET', '/')",
    "requests": "import requests\nrequests.get('http://127.0.0.1:1/x', timeout=5)",
    "name": "import socket\nsocket.create_connection(('host.invalid', 80), timeout=5)",
}
ATTEMPT = Note(kind="network", detail="example.com:443", location="/project/work.py:3")


@pytest.fixture(scope="session")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Crash]:
    site = CrashSite(tmp_path_factory.mktemp("crashes"))
    others = {name: case.script for name, case in OTHER_CRASHES.items()}
    site.run_all(COLUMN_CRASHES | others | NETWORK_CRASHES)
    return site.crashes


@pytest.mark.parametrize("name", COLUMN_CRASHES)
def test_a_missing_column_is_found_in_the_input(crashes: dict[str, Crash], name: str) -> None:
    crash = crashes[name]
    assert crash.exit_code == 1
    assert advise(make_evidence(crash.stderr, CUSTOMERS)) == Advice(
        "customers.csv has no column 'charge': did you mean 'charges'?", "raw", "charge"
    )


@pytest.mark.parametrize("name", COLUMN_CRASHES)
def test_the_producer_that_renamed_a_column_is_blamed(crashes: dict[str, Crash], name: str) -> None:
    table = Table("raw", "customers.csv", CUSTOMERS.columns, producer="extract")
    advice = advise(make_evidence(crashes[name].stderr, table))
    assert (advice.blame, advice.port, advice.column) == ("extract", "raw", "charge")
    assert advice.hint.startswith("customers.csv, which extract wrote, has no column 'charge'")


@pytest.mark.parametrize("name", COLUMN_CRASHES)
def test_the_crash_is_located_in_the_script(crashes: dict[str, Crash], name: str) -> None:
    error = make_evidence(crashes[name].stderr).error
    assert error is not None
    assert error.user_frame is not None
    assert Path(error.user_frame.file) == crashes[name].script
    line = crashes[name].script.read_text().splitlines()[error.user_frame.line - 1]
    assert "charge" in line or "raise RuntimeError" in line


@pytest.mark.parametrize("name", OTHER_CRASHES)
def test_other_crashes_get_their_hint(crashes: dict[str, Crash], name: str) -> None:
    case, crash = OTHER_CRASHES[name], crashes[name]
    assert crash.exit_code == 1, crash.stderr
    advice = advise(make_evidence(crash.stderr, CUSTOMERS, env={"MODEL_NAMES": "x"}))
    expected = case.hint.format(python=sys.executable)
    assert expected in advice.hint, crash.stderr
    assert bool(expected) == bool(advice.hint)
    assert (advice.port, advice.blame, advice.column) == (case.port, None, case.column)


@pytest.mark.parametrize("name", OTHER_CRASHES)
def test_other_crashes_are_located_in_the_script(crashes: dict[str, Crash], name: str) -> None:
    error = make_evidence(crashes[name].stderr).error
    assert error is not None
    assert error.user_frame is not None
    assert Path(error.user_frame.file) == crashes[name].script


@pytest.mark.parametrize("name", NETWORK_CRASHES)
def test_a_refused_connection_names_the_setting(crashes: dict[str, Crash], name: str) -> None:
    refused = make_evidence(crashes[name].stderr, notes=(ATTEMPT,))
    hint = "the network is refused: set `network: allow` in step clean"
    assert advise(refused).hint == hint
    assert advise(make_evidence(crashes[name].stderr)) == Advice()
    allowed = make_evidence(crashes[name].stderr, notes=(ATTEMPT,), network=Access.ALLOW)
    assert advise(allowed) == Advice()


def test_aws_hints_name_only_what_is_not_allowed(crashes: dict[str, Crash]) -> None:
    stderr = crashes["aws"].stderr
    one = advise(make_evidence(stderr, network=Access.ALLOW)).hint
    assert "`credentials: allow` stands" in one
    assert "network: allow" not in one
    both = advise(make_evidence(stderr, network=Access.ALLOW, credentials=Access.ALLOW)).hint
    assert both == "the step may use AWS, but this machine has no access to it: try `aws sts`"


def test_a_package_that_the_script_wanted_to_install_itself(crashes: dict[str, Crash]) -> None:
    note = Note(kind="pip", detail="pip install no-such-thing==1.0", location="")
    advice = advise(make_evidence(crashes["module"].stderr, notes=(note,)))
    assert advice.hint.endswith("the script's own installation of it is not executed")


def test_a_requirement_of_the_project_is_named(tmp_path: Path, crashes: dict[str, Crash]) -> None:
    evidence = replace(make_evidence(crashes["module-other-name"].stderr), root=tmp_path)
    (tmp_path / "requirements.txt").write_text(
        "pandas>=2\n# images\nopencv_python_headless==4.9 # pinned\n"
    )
    assert advise(evidence).hint == (
        f"install opencv_python_headless==4.9 into {sys.executable}: requirements.txt:3 asks for it"
    )


# xgboost is too large to be installed for this: what its 2.1 says to three calls.
@pytest.mark.parametrize("argument", ["early_stopping_rounds", "eval_metric", "callbacks"])
def test_arguments_that_xgboost_moved(argument: str) -> None:
    stderr = (
        'Traceback (most recent call last):\n  File "/project/work.py", line 9, in <module>\n'
        f"    model.fit(x, y, {argument}=what)\n"
        f"TypeError: XGBClassifier.fit() got an unexpected keyword argument '{argument}'\n"
    )
    assert advise(make_evidence(stderr)).hint.startswith(
        f"xgboost 2.1 took `fit({argument}=)` out: give it to the constructor of the model"
    )


class TestBlame:
    """Who should have written the column."""

    COLUMNS = ("customer_id", "amount")

    def test_not_for_generated_data(self, crashes: dict[str, Crash]) -> None:
        table = Table("raw", "c.csv", self.COLUMNS, declared=("customer_id", "charge"))
        assert advise(make_evidence(crashes["item"].stderr, table)) == Advice(
            "c.csv has no column 'charge': there is 'amount', 'customer_id'", "raw", "charge"
        )

    def test_a_contract_that_names_the_column(self, crashes: dict[str, Crash]) -> None:
        table = Table("raw", "c.csv", self.COLUMNS, "extract", ("customer_id", "charge"))
        assert advise(make_evidence(crashes["item"].stderr, table)).blame == "extract"

    def test_not_where_nothing_tells_that_it_was_owed(self, crashes: dict[str, Crash]) -> None:
        table = Table("raw", "c.csv", self.COLUMNS, "extract")
        advice = advise(make_evidence(crashes["item"].stderr, table))
        assert (advice.blame, advice.column) == (None, "charge")

    def test_not_for_a_near_name_that_the_contract_does_not_have(
        self, crashes: dict[str, Crash]
    ) -> None:
        table = Table("raw", "c.csv", ("charges",), "extract", ("charges",))
        advice = advise(make_evidence(crashes["item"].stderr, table))
        assert advice.hint.endswith("did you mean 'charges'?")
        assert advice.blame is None

    def test_the_input_that_owes_the_column_among_several(self, crashes: dict[str, Crash]) -> None:
        near = Table("first", "a.csv", ("charges",))
        owing = Table("second", "b.csv", ("x",), "extract", ("charge",))
        advice = advise(make_evidence(crashes["item"].stderr, near, owing))
        assert (advice.port, advice.blame) == ("second", "extract")

    def test_the_nearest_input_among_several(self, crashes: dict[str, Crash]) -> None:
        far = Table("first", "a.csv", ("x",), "other")
        near = Table("second", "b.csv", ("charges",), "extract")
        advice = advise(make_evidence(crashes["item"].stderr, far, near))
        assert (advice.port, advice.blame) == ("second", "extract")

    def test_no_input_comes_near(self, crashes: dict[str, Crash]) -> None:
        tables = (Table("first", "a.csv", ("x",), "one"), Table("second", "b.csv", ("y",), "two"))
        assert advise(make_evidence(crashes["item"].stderr, *tables)) == Advice(
            "no input has a column 'charge'", column="charge"
        )

    def test_a_column_that_is_there_is_not_missing(self, crashes: dict[str, Crash]) -> None:
        table = Table("raw", "c.csv", ("charge",), "extract")
        assert advise(make_evidence(crashes["item"].stderr, table)) == Advice()

    def test_without_tables_there_is_nothing_to_say(self, crashes: dict[str, Crash]) -> None:
        assert advise(make_evidence(crashes["item"].stderr)) == Advice()
        archive = Table("model", "model.tar.gz", (), "train")
        assert advise(make_evidence(crashes["item"].stderr, archive)) == Advice()


class TestUsage:
    """Scripts that end with exit code 2 before they begin."""

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            ((), "the following arguments are required: --depth"),
            (("--depth", "1", "--dpth", "2"), "unrecognized arguments: --dpth 2"),
            (("--depth", "deep"), "argument --depth: invalid int value: 'deep'"),
        ],
    )
    def test_argparse(self, tmp_path: Path, arguments: tuple[str, ...], what: str) -> None:
        crash = run_alone(
            tmp_path,
            """
            import argparse
            parser = argparse.ArgumentParser()
            parser.add_argument("--depth", type=int, required=True)
            parser.parse_args()
            """,
            *arguments,
        )
        assert crash.exit_code == 2
        evidence = make_evidence(crash.stderr, outcome=make_outcome(exit_code=2))
        assert advise(evidence) == Advice(f"correct `args` of step clean: {what}")

    def test_click(self, tmp_path: Path) -> None:
        crash = run_alone(
            tmp_path,
            """
            import click
            @click.command()
            @click.option("--depth", required=True)
            def main(depth): pass
            main()
            """,
        )
        evidence = make_evidence(crash.stderr, outcome=make_outcome(exit_code=crash.exit_code))
        assert advise(evidence).hint == ("correct `args` of step clean: Missing option '--depth'.")

    def test_other_exit_codes_and_texts_are_not_usage(self) -> None:
        usage = "usage: x.py [-h]\nx.py: error: bad"
        assert advise(make_evidence(usage, outcome=make_outcome(exit_code=1))) == Advice()
        log = "job: error: bad"
        assert advise(make_evidence(log, outcome=make_outcome(exit_code=2))) == Advice()


class TestPaths:
    """Files that are not where the script looks for them."""

    ERROR = (
        'Traceback (most recent call last):\n  File "/project/work.py", line 3, in <module>\n'
        "    open(path)\n{type}: [Errno 2] No such file or directory: '{path}'\n"
    )

    def advise_on(self, path: str, *tables: Table, kind: str = "FileNotFoundError") -> str:
        return advise(make_evidence(self.ERROR.format(type=kind, path=path), *tables)).hint

    def test_an_input_folder_read_as_a_file(self) -> None:
        hint = self.advise_on(RAW, CUSTOMERS, kind="IsADirectoryError")
        assert hint == "input raw (synthetic data) is a folder; in it there is customers.csv"

    def test_an_input_that_was_there(self) -> None:
        hint = self.advise_on(f"{RAW}/customers.csv", CUSTOMERS)
        assert hint.endswith("had 'customers.csv' when the script started")

    def test_an_empty_input(self) -> None:
        evidence = make_evidence(
            self.ERROR.format(type="FileNotFoundError", path=f"{RAW}/x.csv"), CUSTOMERS
        )
        empty = evidence.inputs[0].model_copy(update={"files": ()})
        hint = advise(replace(evidence, inputs=(empty,))).hint
        assert hint == "input raw (synthetic data) has no 'x.csv': it is empty"

    def test_an_input_with_many_files(self) -> None:
        evidence = make_evidence(
            self.ERROR.format(type="FileNotFoundError", path=f"{RAW}/zzz"), CUSTOMERS
        )
        file = evidence.inputs[0].files[0]
        files = tuple(file.model_copy(update={"name": f"part-{n:02}.csv"}) for n in range(20))
        many = evidence.inputs[0].model_copy(update={"files": files})
        hint = advise(replace(evidence, inputs=(many,))).hint
        assert "there is part-00.csv, part-01.csv" in hint
        assert hint.endswith("and 14 more")

    def test_a_name_that_only_begins_like_a_port(self) -> None:
        assert "no port of the step" in self.advise_on(f"{RAW}-data/x.csv", CUSTOMERS)
        assert "is not part of the container" in self.advise_on("/opt/mlx/x.csv", CUSTOMERS)


@pytest.mark.parametrize("without_outputs", [True, False])
def test_read_only_places(without_outputs: bool) -> None:
    # As a sandbox says it: a test would have to run in one.
    stderr = (
        'Traceback (most recent call last):\n  File "/project/work.py", line 3, in <module>\n'
        "    open('/etc/x', 'w')\nOSError: [Errno 30] Read-only file system: '/etc/x'\n"
    )
    hint = advise(make_evidence(stderr, without_outputs=without_outputs)).hint
    assert hint == ("write to /tmp" if without_outputs else f"write below {OUT}, or to /tmp")
