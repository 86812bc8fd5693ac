#!/bin/sh
# Write .env with new passwords beside this script. An existing .env is left as it is: the database
# and the storage know the passwords that it holds.
set -eu
cd "$(dirname "$0")"

if [ -e .env ]; then
    echo "$PWD/.env exists and is left as it is" >&2
    exit 1
fi

# Letters and digits only, because some of them become part of a URL.
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
cat > .env <<EOF
POSTGRES_PASSWORD=$(secret)
S3_ACCESS_KEY=mlflow
S3_SECRET_KEY=$(secret)
MLFLOW_SECRET_KEY=$(secret)
# The first user. Both count on the first start only.
MLFLOW_ADMIN_USERNAME=admin
MLFLOW_ADMIN_PASSWORD=$(secret)
# Names by which clients reach the server, separated by commas, and addresses of its pages.
MLFLOW_ALLOWED_HOSTS=localhost
MLFLOW_ALLOWED_ORIGINS=http://localhost:5000
EOF
echo "wrote $PWD/.env; MLFLOW_ADMIN_PASSWORD in it is the password of the user admin"
