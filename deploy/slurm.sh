#!/bin/bash
# Workers on the nodes of a Slurm cluster, one process for each node with as many workers as the node has processors for it.
# The variables NATS_URL and NATS_TOKEN name the server, which all nodes must reach:
#
#     sbatch --nodes=8 --export=NATS_URL,NATS_TOKEN deploy/slurm.sh
#SBATCH --job-name=perijove-workers
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@60
set -euo pipefail

: "${NATS_URL:?set it to the address of the NATS server, such as nats://login1:4222}"
: "${NATS_TOKEN:?set it to the token of the NATS server}"
worker=${WORKER:-./worker}
[ -x "$worker" ] || { echo "slurm.sh: there is no program $worker: make it with perijove build NOTEBOOK.ipynb --worker -o worker, or set WORKER" >&2; exit 1; }

# A node that fails ends only its own task; the others go on.
exec srun --kill-on-bad-exit=0 --wait=0 "$worker" --nats "$NATS_URL" --workers "${SLURM_CPUS_PER_TASK:-1}"
