package faulttest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/perijove/perijove/lib/cluster"
)

const jobName = "killed"

// jobTasks returns the tasks of the job. An argument of a job cannot be large.
func jobTasks(count int) (list []task) {
	for n := 0; len(list) < count; n++ {
		if !hasLargeArgument(n) {
			list = append(list, task{N: n})
		}
	}
	return list
}

// submit starts the job, and prints a line. Then it waits until it is killed.
func submit(c config) error {
	j, err := cluster.Open(context.Background(), cluster.URL(c.URL), cluster.Token(token), cluster.Replicas(3))
	if err == nil {
		_, err = cluster.StartJob[outcome](context.Background(), j, jobName, compute, jobTasks(c.Tasks))
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode("ready")
	}
	if err != nil {
		return err
	}
	select {}
}

// killProgram kills a program as soon as it has started a job. This process joins the job and
// gets each result once.
func (r *run) killProgram() func() {
	p := r.startClient("program", "program", false, config{Tasks: *taskCount / 10})
	p.kill(r.t)
	ctx := r.watchdog()
	j, err := cluster.JoinJob[outcome](ctx, r.cluster, jobName)
	r.must(err)
	tasks, n := jobTasks(p.config.Tasks), 0
	for o, err := range j.Stream(ctx) {
		if err == nil {
			err = o.check()
		}
		if err == nil && o.N != tasks[n].N {
			err = fmt.Errorf("it is the result of task %d", o.N)
		}
		if err != nil {
			r.t.Fatalf("result %d of the job: %v", n, err)
		}
		n++
	}
	if n != len(tasks) {
		r.t.Fatalf("the job of %d tasks has %d results", len(tasks), n)
	}
	r.must(j.Delete(ctx))
	return func() {}
}
