package cluster

import (
	"context"
	"strconv"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// TaskKey returns a key of the task that runs with ctx, or with a context made from it. Each
// run of the same task has the same key, on every machine, and no other task has it. So a
// task that may run twice can do something once: it stores the key together with the effect,
// such as in a column with unique values, and does nothing if the key is there already.
//
// A task of a Job keeps its key until the job is deleted, also if another process joins the
// job or sends its tasks again. The function of the task needs a context as its first
// parameter. Outside of a task of a cluster, TaskKey returns "".
func TaskKey(ctx context.Context) string { return mpremote.TaskKey(ctx) }

// taskKey returns the key of task i of a batch. It does not depend on the batch: a task whose
// workers have gone is sent again in another one.
func taskKey(b *wire.Batch, i int) string { return b.Pool + "." + strconv.FormatUint(b.Numbers[i], 10) }
