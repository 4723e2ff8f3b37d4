package mp_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

func TestOptionsAreChecked(t *testing.T) {
	var noFile *os.File
	var noPrepare func(int)
	both := mp.Processes
	for _, c := range []struct {
		b   mp.Backend
		opt mp.PoolOption
		say string
	}{
		{both, mp.Workers(0), "Workers(0)"}, {both, mp.Workers(-3), "Workers(-3)"}, {both, mp.Workers(1 << 40), "between 1 and"},
		{both, mp.Retries(-1), "Retries(-1)"}, {both, mp.TasksPerChild(0), "TasksPerChild(0)"},
		{both, mp.TasksPerChild(-1), "TasksPerChild(-1)"}, {both, mp.Grace(-time.Second), "Grace(-1s)"},
		{both, mp.Env("NAME"), `Env("NAME")`}, {both, mp.Env("A=1", "=x"), `Env("=x")`}, {both, mp.Env("A=\x00"), "zero bytes"},
		{both, mp.Stdout(nil), "Stdout(nil)"}, {both, mp.Stderr(noFile), "Stderr(nil)"}, {both, nil, "an option is nil"},
		{both, mp.Option{}, "an option is nil"}, {both, mp.Initializer(noPrepare, 1), "the function of Initializer is nil"},
		{mp.Goroutines, mp.Workers(0), "Workers(0)"}, {mp.Goroutines, mp.TasksPerChild(2), "TasksPerChild needs mp.Processes"},
		{mp.Goroutines, mp.Env("A=1"), "Env needs mp.Processes"}, {mp.Goroutines, mp.Stdout(new(bytes.Buffer)), "Stdout needs mp.Processes"},
		{mp.Goroutines, mp.Initializer(noPrepare, 1), "the function of Initializer is nil"}, {mp.Backend(7), mp.Workers(1), "backend"},
	} {
		_, err := mp.NewPool(c.b, c.opt)
		refused(t, err, "mp: ", c.say)
	}
	for _, opt := range []mp.ProcessOption{mp.Grace(-1), mp.Env("x"), mp.Stdout(nil), nil} {
		_, err := mp.Start(watchdog(t), mp.Processes, nothing, "", opt)
		refused(t, err, "mp: ")
	}
	_, err := mp.Start(watchdog(t), mp.Goroutines, nothing, "", mp.Env("A=1"))
	refused(t, err, "Env needs mp.Processes")
	p, err := mp.Start(watchdog(t), mp.Goroutines, nothing, "", mp.Name("x"), mp.Grace(0))
	endsWith(t, p, err, "", 0)
}
