"""What editors say about the keys that the models themselves leave undescribed."""

from __future__ import annotations

# By "<model>.<key>".
DESCRIPTIONS = {
    "Project.project": "The project's name; also that of the MLflow experiment unless `tracking` "
    "names another",
    "Project.description": "What the project is about",
    "Project.tracking": "Where runs are recorded. MLFLOW_TRACKING_URI wins over `uri`",
    "Project.defaults": "What holds for every step that does not say otherwise",
    "Project.cache": "What is kept of steps that passed, so that they need not run again",
    "Project.datasets": "Name -> schema of tabular files, which the ports of steps refer to",
    "Project.steps": "Name -> script with its contract: entry point, inputs, outputs, limits",
    "Project.pipelines": "Name -> steps and how data flows between them",
    "Project.gates": "Conditions on the figures of a run, such as `findings.error == 0` or "
    "`evaluate.auc >= 0.7`; a run that breaks one fails",
    "Defaults.timeout": "Wall time after which a step is stopped, such as 30s, 10m or 1h30m",
    "Defaults.memory": "Limit of a step's whole process tree, such as 512MB or 2GB",
    "Defaults.network": "Whether scripts may reach the network",
    "Defaults.credentials": "allow: pass the AWS environment and ~/.aws on to the scripts",
    "Defaults.env": "Environment variables of every step, as text exactly as written",
    "Dataset.format": "File format",
    "Dataset.description": "What a row stands for",
    "Dataset.columns": "Column name -> type and constraints",
    "Dataset.schema": "File of pandera or Frictionless, or module:Schema, that declares columns; "
    "`columns` beside it adds to them",
    "Column.type": "What the column holds",
    "Distribution.kind": "Shape: uniform, normal, lognormal, exponential, poisson, zipf, quantiles",
    "Distribution.mean": "Mean; of lognormal that of the logarithm",
    "Distribution.sd": "Standard deviation; of lognormal that of the logarithm",
    "Dialect.quote": "Character around fields that hold the delimiter",
    "Dialect.line_end": "How lines end",
    "Column.description": "What the column means",
    "Step.kind": "How the container would start the script and which paths it would offer",
    "Step.description": "What the step does",
    "Step.hyperparameters": "Hyperparameters of a training step, as in hyperparameters.json",
    "Step.env": "Environment variables, as text exactly as written",
    "Step.inputs": "Name -> port that the script reads; a channel of a training step",
    "Step.outputs": "Name -> port that the script writes",
    "Step.timeout": "Wall time after which the step is stopped, such as 30s, 10m or 1h30m",
    "Step.network": "Whether the script may reach the network",
    "Port.description": "What the files of the port are",
    "Node.args": "Arguments in place of the step's own of the same name",
    "Node.env": "Environment variables in place of the step's own of the same name",
    "Node.hyperparameters": "Hyperparameters in place of the step's own of the same name",
    "Pipeline.description": "What the pipeline is for",
    "Pipeline.nodes": "The steps that run: a list of their names, or a mapping of a node's name to "
    "a step with other args, env or hyperparameters",
    "Pipeline.edges": "consumer.input: producer.output or producer.output/folder",
}
