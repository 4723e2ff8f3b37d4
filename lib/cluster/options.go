package cluster

import (
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

// An Option is an option of Open.
type Option func(*options)

type options struct {
	url, token    string
	connection    []nats.Option
	folder        string
	name          string
	replicas      int
	tries         int
	maxValue      int
	inflight      int
	maxBatch      int
	workerTimeout time.Duration
	err           error // the error of the first invalid option
}

func newOptions(opts []Option) (options, error) {
	o := options{name: "perijove", replicas: 1, tries: 3, maxValue: 256 << 20, inflight: 2048, maxBatch: wire.MaxTasks, workerTimeout: 30 * time.Second}
	for _, opt := range opts {
		if opt == nil {
			o.fail("an option is nil")
			break
		}
		opt(&o)
	}
	if o.err == nil && o.url != "" && o.folder != "" {
		o.fail("Folder(%q) is for the embedded server, but URL names the server at %s, which has its own store: leave out one of the two options", o.folder, o.url)
	}
	if o.err == nil && o.url == "" && o.replicas > 1 {
		o.fail("Replicas(%d): the embedded server is a single server; name a cluster of servers with the option URL", o.replicas)
	}
	return o, o.err
}

// fail records the error of an invalid option, if it is the first.
func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("cluster: invalid option: "+format, args...)
	}
}

// URL makes Open join the NATS server at url instead of starting a server. url may be several
// URLs, separated by commas: Open then joins one of these servers. JetStream must be enabled
// on the server.
func URL(url string) Option {
	return func(o *options) {
		if o.url = url; url == "" {
			o.fail("URL(\"\"): leave the option out to start a server in this process")
		}
	}
}

// Token sets the token for the server that the option URL names. Token has no effect on the
// embedded server, which makes its own token: see Cluster.Token.
func Token(token string) Option { return func(o *options) { o.token = token } }

// Connection adds options of the NATS connection, such as nats.UserCredentials,
// nats.NkeyOptionFromSeed, nats.RootCAs or nats.ClientCert.
func Connection(opts ...nats.Option) Option {
	return func(o *options) { o.connection = append(o.connection, opts...) }
}

// Folder makes the embedded server keep its tasks, jobs and values in a folder, not in
// memory, so that they survive the program. One process at a time can use a folder.
func Folder(path string) Option {
	return func(o *options) {
		if o.folder = path; path == "" {
			o.fail("Folder(\"\"): leave the option out to keep tasks in memory")
		}
	}
}

var nameFormat = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Name sets the prefix of the names of streams and subjects on the server. Clusters with
// different names do not see each other. The default is "perijove".
func Name(name string) Option {
	return func(o *options) {
		if o.name = name; !nameFormat.MatchString(name) {
			o.fail("Name(%q): a name has 1 to 32 letters, digits, - or _", name)
		}
	}
}

// Replicas sets on how many servers of a NATS cluster each stream is stored. The default
// is 1.
func Replicas(n int) Option {
	return func(o *options) {
		if o.replicas = n; n < 1 || n > 5 {
			o.fail("Replicas(%d): NATS stores a stream on 1 to 5 servers", n)
		}
	}
}

// Tries sets how often a task may begin. Deaths of child processes on one machine and losses
// of machines that had begun the task are counted separately. If either number reaches n, the
// task fails and becomes a dead letter. With 1 a task never begins twice. The default is 3.
// A task that returns an error is not tried again.
func Tries(n int) Option {
	return func(o *options) {
		if o.tries = n; n < 1 {
			o.fail("Tries(%d): the number of tries must be at least 1", n)
		}
	}
}

// MaxValue sets the largest size in bytes of an encoded argument or result. The default is
// 256 MiB.
func MaxValue(n int) Option {
	return func(o *options) {
		if o.maxValue = n; n < 1 || n > 1<<30 {
			o.fail("MaxValue(%d): the limit must be between 1 and %d bytes", n, 1<<30)
		}
	}
}

// Inflight sets the largest number of tasks of a pool that are under way at once. A Map or
// Stream submits the next task when one has ended. The default is 2048.
func Inflight(n int) Option {
	return func(o *options) {
		if o.inflight = n; n < 1 || n > 1<<16 {
			o.fail("Inflight(%d): the number of tasks must be between 1 and %d", n, 1<<16)
		}
	}
}

// MaxBatch sets the largest number of tasks that are sent in one message. The default is
// 1024. A message has fewer tasks if they would take more than about 20 milliseconds. With 1
// each task is sent alone.
func MaxBatch(n int) Option {
	return func(o *options) {
		if o.maxBatch = n; n < 1 || n > wire.MaxTasks {
			o.fail("MaxBatch(%d): the number of tasks must be between 1 and %d", n, wire.MaxTasks)
		}
	}
}

// WorkerTimeout sets how long a pool with tasks waits for a worker that can run them
// before the tasks fail with ErrNoWorkers. The default is 30 seconds.
func WorkerTimeout(d time.Duration) Option {
	return func(o *options) {
		if o.workerTimeout = d; d <= 0 {
			o.fail("WorkerTimeout(%v): the time must be positive", d)
		}
	}
}
