package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"

	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// ErrNoJob is wrapped by the error of JoinJob if there is no job of that name.
var ErrNoJob = errors.New("there is no job of that name")

// A Job is a list of tasks with a name. The server keeps the tasks and their results until
// Delete is called, so a Job does not need the process that has started it. Another process
// can join the Job and gets every result, also the results of tasks that ended while no
// process listened.
//
// Workers run each task of a job at least once, as they do for pools. Stream and Results give
// each result once. With the embedded server, jobs end with the process, unless the server
// has a Folder; then the next process that opens the Folder continues them.
type Job[R any] struct{ in *job }

// StartJob starts a job with the given name, whose tasks are fn(x) for each x of xs. When it
// has returned, the server has all tasks. The type of the results is the only type argument
// to give: cluster.StartJob[int](ctx, c, "sweep", Square, xs).
//
// If there is a job of that name with the same tasks, StartJob joins it; tasks that were not
// sent, because the process was killed, are sent now. If the workers that have the tasks are
// gone, such as the workers of a notebook before a restart, other workers get the tasks that
// have no result. If the job has other tasks, StartJob fails.
//
// All tasks go to the workers of one program: this one, or another that has the function,
// whichever has more workers when StartJob is called.
//
// An encoded argument may have up to 128 KiB, and an encoded result up to 512 KiB. If no
// worker takes a task, the server keeps the task for a week.
func StartJob[R, A any, F mp.Func[A, R]](ctx context.Context, c *Cluster, name string, fn F, xs []A) (*Job[R], error) {
	f, args, err := mpremote.Encode[R](fn, xs)
	if err != nil {
		return nil, err
	}
	in, err := c.startJob(ctx, name, f, args, reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	return &Job[R]{in}, nil
}

// JoinJob joins the job with the given name. R is the type of its results. If another build
// of the program started the job, R must have the same structure there, and must not contain
// interfaces.
func JoinJob[R any](ctx context.Context, c *Cluster, name string) (*Job[R], error) {
	in, err := c.joinJob(ctx, name, reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	return &Job[R]{in}, nil
}

// Stream yields the result of each task, in the order of the arguments. It waits for results
// that are not there yet. If a task has failed, its error is yielded in place of the result;
// errors of a job from another build have only their text. An error of ctx ends the stream.
// If the job is deleted, the stream ends with an error that wraps mp.ErrClosed. If all processes
// whose workers have the missing tasks are lost for the WorkerTimeout, the stream ends with an
// error that wraps ErrNoWorkers. The job stays, and StartJob gives its tasks to other workers.
func (j *Job[R]) Stream(ctx context.Context) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for b, err := range j.in.stream(ctx) {
			var r R
			if err == nil {
				err = mpremote.Unmarshal(b, &r)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Results waits for all tasks and returns their results, in the order of the arguments. The
// result of a task that has failed is a zero value, and Results returns the error of the
// failed task with the lowest index. If the stream of results ends early, as described at
// Stream, Results returns the results up to that point.
func (j *Job[R]) Results(ctx context.Context) ([]R, error) {
	rs := make([]R, 0, j.in.record.Tasks)
	var first error
	for r, err := range j.Stream(ctx) {
		if over, ok := errors.AsType[*jobs.Over](err); ok {
			return rs, cmp.Or[error](first, over)
		}
		if err != nil && first == nil {
			first = fmt.Errorf("cluster: no result of task %d of job %s: %w", len(rs), j.in.name, err)
		}
		rs = append(rs, r)
	}
	return rs, first
}

// Progress returns in done how many tasks have a result or an error, and in total how many
// tasks the job has.
func (j *Job[R]) Progress(ctx context.Context) (done, total int, err error) {
	ended, err := j.in.stored(ctx)
	for _, e := range ended {
		if e {
			done++
		}
	}
	return done, j.in.record.Tasks, err
}

// Delete stops the tasks of the job, and deletes the job with its results.
func (j *Job[R]) Delete(ctx context.Context) error { return j.in.delete(ctx) }

// String returns the name of the job and the number of its tasks, and says if it ends with
// this process.
func (j *Job[R]) String() string { return j.in.String() }

// Jobs returns the names of the jobs on the server.
func (c *Cluster) Jobs(ctx context.Context) ([]string, error) { return c.jobNames(ctx) }

// DeleteJob deletes the job with the given name, as Job.Delete does.
func (c *Cluster) DeleteJob(ctx context.Context, name string) error {
	j, err := c.findJob(ctx, name)
	if err != nil {
		return err
	}
	return j.delete(ctx)
}
