"""Code shared by the steps of the churn pipeline and by the inference container."""
