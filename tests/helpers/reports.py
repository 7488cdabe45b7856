"""Runs without their page, which takes seconds: for tests that look at something else than tests/report/."""


def no_report(monkeypatch):
    """`synthbench run` writes all of its results but report.html and figures/."""
    monkeypatch.setattr("synthbench.commands.run.report_or_warning", lambda out: f"no report of {out.name}")
