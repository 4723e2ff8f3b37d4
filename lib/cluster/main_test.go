package cluster_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		if err := os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")); err != nil {
			panic(err)
		}
	}
	mp.Init()
	if url := os.Getenv(roleVariable); url != "" {
		if os.Getenv(jobVariable) != "" {
			os.Exit(startJob(url))
		}
		os.Exit(work(url))
	}
	os.Exit(m.Run())
}

// roleVariable is the environment variable with the server's address for a process that
// only runs workers.
const roleVariable = "CLUSTER_TEST_WORKER"

// work runs two workers until standard input ends.
func work(url string) int {
	c, err := cluster.Open(context.Background(), cluster.URL(url), cluster.Token(os.Getenv("CLUSTER_TEST_TOKEN")))
	if err == nil && os.Getenv(otherBuildVariable) != "" {
		offerFunctions(c)
	}
	if err == nil {
		err = c.Workers(2)
	}
	if err != nil {
		println(err.Error())
		return 1
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
	_ = c.Close()
	return 0
}

var errHang = errors.New("the watchdog's two minutes are over: something hangs")

// watchdog returns a context that ends when a test hangs.
func watchdog(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 2*time.Minute, errHang)
	t.Cleanup(cancel)
	return ctx
}

// open opens a cluster with an embedded server and n workers.
func open(t testing.TB, n int, opts ...cluster.Option) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Open(watchdog(t), append([]cluster.Option{cluster.WorkerTimeout(2 * time.Minute)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if n > 0 {
		if err := c.Workers(n); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func newPool(t testing.TB, c *cluster.Cluster) *mp.Pool {
	t.Helper()
	p, err := c.Pool()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
