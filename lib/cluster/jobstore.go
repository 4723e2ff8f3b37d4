package cluster

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/cluster/internal/shape"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

const (
	// maxJobBatch is the largest number of tasks of a job in a batch. How long they take is
	// not known, and the tasks of a batch run on one machine.
	maxJobBatch = 64
)

func (c *Cluster) jobSubjects(id string) string { return c.o.name + ".jobs." + id + ".*" }

// jobOutput returns the subject of the output of tasks, which is not stored.
func (c *Cluster) jobOutput(id string, isError bool) string {
	if isError {
		return c.o.name + ".output." + id + ".stderr"
	}
	return c.o.name + ".output." + id + ".stdout"
}

func (c *Cluster) jobStream(id string) string { return c.o.name + "-" + id }

// jobOptions are the options of all jobs.
var jobOptions = &mpremote.PoolOptions{Grace: mpremote.DefaultGrace}

// A job is a Job without its type.
type job struct {
	c      *Cluster
	name   string
	record jobs.Record
	entry  keyvalue.Entry // with the record
}

// errChanged means that another process has changed the record of a job meanwhile.
var errChanged = errors.New("cluster: cannot store the record of a job: another process has changed the record meanwhile")

func jobKey(name string) string { return "job." + name }

// findJob returns the job name, or an error that wraps ErrNoJob.
func (c *Cluster) findJob(ctx context.Context, name string) (*job, error) {
	if c == nil {
		return nil, fmt.Errorf("cluster: cannot find the job %q: the Cluster is nil; make a Cluster with cluster.Open", name)
	}
	if !nameFormat.MatchString(name) {
		return nil, fmt.Errorf("cluster: a job cannot have the name %q: a name has 1 to 32 letters, digits, - or _", name)
	}
	e, err := c.values.Get(ctx, jobKey(name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, fmt.Errorf("cluster: %w: the cluster at %s has no job %q; start the job with StartJob", ErrNoJob, c.URL(), name)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot read the record of job %s: %w", name, err)
	}
	j := &job{c: c, name: name, entry: e}
	if err := json.Unmarshal(e.Value, &j.record); err != nil || j.record.Tasks < 0 || j.record.Batch < 1 || !jobs.Is(j.record.ID) {
		return nil, fmt.Errorf("cluster: the server has a malformed record of job %s; remove it with: nats kv del %s-values %s", name, c.o.name, jobKey(name))
	}
	return j, nil
}

func (c *Cluster) joinJob(ctx context.Context, name string, result reflect.Type) (*job, error) {
	j, err := c.findJob(ctx, name)
	if err != nil {
		return nil, err
	}
	return j, j.check(result)
}

// check returns an error if results of the job cannot be decoded as the type result.
func (j *job) check(result reflect.Type) error {
	have := shape.Of(result)
	switch {
	case have.Text != j.record.Shape:
		return fmt.Errorf("cluster: the results of job %s have the type %s, not %s: use the type of the results as type argument", j.name, shape.Name(j.record.Shape), result)
	case !have.Plain && !j.sameBuild():
		return fmt.Errorf("cluster: cannot read the results of job %s: another build of the program started the job, and values of type %v, which contains an interface, can be sent only between processes of one build", j.name, result)
	}
	return nil
}

func (j *job) build() string { return hex.EncodeToString(j.c.build[:]) }

// sameBuild reports whether all results come from this build of the program.
func (j *job) sameBuild() bool { return j.record.Build == j.build() && !j.record.Mixed }

// startJob starts a job, or joins it if it has the same tasks.
func (c *Cluster) startJob(ctx context.Context, name string, f *mpremote.Func, args [][]byte, result reflect.Type) (*job, error) {
	largest := 0
	for i, arg := range args {
		if largest = max(largest, len(arg)); len(arg) > maxInline {
			return nil, fmt.Errorf("cluster: argument %d of job %s takes %d bytes, more than the limit of %d: divide the argument into smaller ones: %w", i, name, len(arg), maxInline, mp.ErrTooLarge)
		}
	}
	size := min(max(1, len(args)/256), maxJobBatch, c.o.maxBatch, max(1, maxBatchBytes/max(1, largest)))
	for {
		j, err := c.findJob(ctx, name)
		if errors.Is(err, ErrNoJob) {
			j = &job{c: c, name: name, record: jobs.Record{ID: jobs.Prefix + newID(), Tasks: len(args), Batch: size, Func: f.Name, Shape: shape.Of(result).Text}}
			j.record.Calls, j.record.Build = callsHash(f, args), j.build()
			err = j.create(ctx)
		}
		if errors.Is(err, jetstream.ErrKeyExists) {
			continue // another process has started it meanwhile
		}
		if err == nil {
			err = j.sameTasks(f, args)
		}
		if err == nil {
			err = j.check(result)
		}
		if err == nil {
			err = j.send(ctx, f, args, shape.Of(result).Plain)
		}
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return j, nil
	}
}

func callsHash(f *mpremote.Func, args [][]byte) string {
	return shape.Calls(f.Name, f.Arg, f.Result, args)
}

func (j *job) sameTasks(f *mpremote.Func, args [][]byte) error {
	if j.record.Calls == callsHash(f, args) {
		return nil
	}
	return fmt.Errorf("cluster: cannot start the job: there is a job %s with other tasks (%d calls of %s); delete that job with Cluster.DeleteJob, or choose another name",
		j.name, j.record.Tasks, j.record.Func)
}

// create makes the stream of the job, and then its key.
func (j *job) create(ctx context.Context) error {
	c := j.c
	config := c.tasks.CachedInfo().Config
	err := servers.CreateStream(ctx, c.js, jetstream.StreamConfig{Name: c.jobStream(j.record.ID), Subjects: []string{c.jobSubjects(j.record.ID)},
		Storage: config.Storage, Replicas: config.Replicas, Duplicates: duplicateWindow})
	if err != nil {
		return c.streamError(c.jobStream(j.record.ID), err)
	}
	b, err := json.Marshal(j.record)
	if err == nil {
		j.entry, err = c.values.Create(ctx, jobKey(j.name), b)
	}
	if err != nil {
		_ = c.js.DeleteStream(context.WithoutCancel(ctx), c.jobStream(j.record.ID))
	}
	return err
}

// destination returns the build whose workers should run the tasks: the one that has them
// already, or the one with the most workers that have f. Without workers, it is this build.
// Other builds run only functions whose results are plain.
func (j *job) destination(ctx context.Context, f *mpremote.Func, plain bool) build {
	if f.Source == nil || !plain {
		return j.c.build
	}
	r := &runner{c: j.c}
	targets := r.targets(f)
	for range 20 { // when the Cluster has just been opened, workers have not yet answered
		if len(targets) > 0 || ctx.Err() != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
		targets = r.targets(f)
	}
	best := target{build: j.c.build}
	for _, t := range targets {
		if j.record.Sent && hex.EncodeToString(t.build[:]) == j.record.Build {
			return t.build
		}
		if t.slots > best.slots {
			best = t
		}
	}
	return best.build
}

// send sends the tasks that have no result, unless the workers of their destination have all
// of them.
func (j *job) send(ctx context.Context, f *mpremote.Func, args [][]byte, plain bool) error {
	dest := j.destination(ctx, f, plain)
	destID := hex.EncodeToString(dest[:])
	if j.record.Sent && j.record.Build == destID {
		return nil
	}
	ended, err := j.stored(ctx)
	if err != nil {
		return err
	}
	if err := j.dropTasks(ctx); err != nil {
		return err
	}
	r := &runner{c: j.c, id: j.record.ID, tries: j.c.o.tries}
	r.options.Options = jobOptions
	for i := 0; i*j.record.Batch < len(args); i++ {
		from, to := i*j.record.Batch, min((i+1)*j.record.Batch, len(args))
		if !slices.Contains(ended[from:to], false) {
			continue
		}
		b := &batch{id: uint64(i + 1), to: dest, q: &queue{f: f}, tasks: make([]*task, to-from)}
		for k := range b.tasks {
			b.tasks[k] = &task{arg: args[from+k], number: uint64(from + k + 1)}
		}
		msg, err := r.encode(b, b.tasks)
		if err == nil {
			_, err = j.c.publish(ctx, j.c.taskSubject(buildID(dest), r.id), fmt.Sprintf("%s.%d.%s", r.id, b.id, buildID(dest)), msg)
		}
		if err != nil {
			return err
		}
	}
	j.record.Mixed = j.record.Mixed || j.record.Build != destID
	j.record.Sent, j.record.Build = true, destID
	b, err := json.Marshal(j.record)
	ok := false
	if err == nil {
		j.entry, ok, err = j.c.values.Swap(ctx, jobKey(j.name), j.entry, b)
	}
	if err == nil && !ok {
		err = errChanged
	}
	return err
}

// dropTasks removes the tasks that no worker has taken.
func (j *job) dropTasks(ctx context.Context) error {
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) error {
		return j.c.tasks.Purge(ctx, jetstream.WithPurgeSubject(j.c.o.name+".tasks.*."+j.record.ID))
	})
	if err != nil {
		return fmt.Errorf("cluster: cannot remove the tasks of job %s from the server: %w", j.name, err)
	}
	return nil
}

func (j *job) delete(ctx context.Context) error {
	c := j.c
	gone := wire.Pool{ID: j.record.ID, Closed: true}
	_ = c.conn.Publish(c.poolSubject(), gone.Encode()) // if it is lost, tasks that run end by themselves
	if err := j.dropTasks(ctx); err != nil {
		return err
	}
	err := servers.Retry(ctx, func(ctx context.Context, _ bool) error { return c.js.DeleteStream(ctx, c.jobStream(j.record.ID)) })
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("cluster: cannot delete the job %s: %w", j.name, err)
	}
	if now, err := c.findJob(ctx, j.name); err != nil || now.record.ID != j.record.ID {
		return nil // another process has deleted it
	}
	if err := c.values.Delete(ctx, jobKey(j.name)); err != nil {
		return fmt.Errorf("cluster: cannot delete the job %s: %w", j.name, err)
	}
	return nil
}

func (c *Cluster) jobNames(ctx context.Context) ([]string, error) {
	names, err := c.values.Keys(ctx, jobKey("*"))
	if err != nil {
		return nil, fmt.Errorf("cluster: cannot list the jobs of the cluster at %s: %w", c.URL(), err)
	}
	for i, key := range names {
		names[i] = strings.TrimPrefix(key, jobKey(""))
	}
	slices.Sort(names)
	return names, nil
}

func (j *job) String() string {
	s := fmt.Sprintf("job %s: %d calls of %s", j.name, j.record.Tasks, j.record.Func)
	if j.c.embedded != nil && j.c.o.folder == "" {
		s += "; it ends with this process: to keep it, open the cluster with a Folder or a URL"
	}
	return s
}
