package cluster

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/begins"
	"github.com/perijove/perijove/lib/cluster/internal/childenv"
	"github.com/perijove/perijove/lib/cluster/internal/jobs"
	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/natsserver"
	"github.com/perijove/perijove/lib/cluster/internal/objects"
	"github.com/perijove/perijove/lib/cluster/internal/servers"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// ErrNoWorkers is wrapped by the error of a task that no worker could run within the
// WorkerTimeout.
var ErrNoWorkers = errors.New("no worker of the cluster can run the task")

// A Cluster is a connection to a NATS server, through which pools and workers exchange tasks
// and results. Its methods may be called concurrently.
type Cluster struct {
	o        options
	build    [sha256.Size]byte
	embedded *natsserver.Server // nil if the server is another process
	conn     *nats.Conn
	js       jetstream.JetStream
	tasks    jetstream.Stream
	results  jetstream.Stream
	dead     jetstream.Stream
	objects  *objects.Store
	begins   *begins.Store
	values   *keyvalue.Store // of shared objects
	id       string          // of the cluster, the same in all processes
	members  members.List
	offers   members.Offers
	ctx      context.Context
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup
	showing  context.Context // ends before ctx: tables of notebooks are updated until then
	stopShow context.CancelFunc
	tables   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	agents []*agent
	pools  map[string]*runner // by id
}

// Open starts a NATS server in this process, for this machine only, or joins the server that
// the option URL names. If ctx ends, Open fails; before that it waits until the server has
// started and the attempt to connect has ended.
func Open(ctx context.Context, opts ...Option) (*Cluster, error) {
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	c := &Cluster{o: o, pools: make(map[string]*runner)}
	if c.build, err = childenv.Build(); err != nil {
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.showing, c.stopShow = context.WithCancel(c.ctx)
	if o.url == "" {
		if c.embedded, err = natsserver.Start(o.folder); err != nil {
			return nil, err
		}
		c.o.url, c.o.token = c.embedded.ClientURL(), c.embedded.Token
	}
	if err := c.connect(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) connect(ctx context.Context) (err error) {
	opts := append(servers.Options(c.embedded == nil), nats.Name("perijove "+programName()))
	if c.o.token != "" {
		opts = append(opts, nats.Token(c.o.token))
	}
	if c.embedded != nil {
		opts = append(opts, nats.InProcessServer(c.embedded))
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if c.conn, err = nats.Connect(c.o.url, append(opts, c.o.connection...)...); err != nil {
		return c.connectError(err)
	}
	if c.js, err = jetstream.New(c.conn); err != nil {
		return fmt.Errorf("cluster: cannot use JetStream of the server at %s: %w", c.URL(), err)
	}
	if err := c.openStreams(ctx); err != nil {
		return err
	}
	if err := c.register(ctx); err != nil {
		return err
	}
	return c.watchMembers()
}

func (c *Cluster) connectError(err error) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return fmt.Errorf("cluster: the server at %s refuses the token or the credentials; pass those of the server with cluster.Token or cluster.Connection: %w", c.URL(), err)
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout):
		return &servers.NoServerError{URL: c.URL(), Advice: "leave out cluster.URL", Err: err}
	}
	return fmt.Errorf("cluster: cannot connect to the server at %s: %w", c.URL(), err)
}

// URL returns the address of the server. Another process can pass it to the option URL.
func (c *Cluster) URL() string { return c.o.url }

// Token returns the token that the server requires. Another process can pass it to the
// option Token.
func (c *Cluster) Token() string { return c.o.token }

// buildID returns the beginning of a build's hash, for the names of subjects and
// consumers.
func buildID(b build) string { return hex.EncodeToString(b[:8]) }

// Workers makes this process run tasks of this program: up to n at once for each pool, in
// child processes. This includes the pools of other processes that have joined the server.
//
// n is the number for each pool, not for all pools together. Pools do not share child
// processes, so that a pool's tasks see the variables and the environment of no other pool.
// If n processes served all pools, tasks that wait for tasks of another pool could occupy all
// n processes for ever. The processes for the first pool of this process start at once, and
// those for another pool when its first task arrives. They end with their pool, at the
// latest when the Cluster is closed or this process ends. So close pools that are not needed.
//
// Each further call adds n child processes for each pool.
func (c *Cluster) Workers(n int) error {
	if n < 1 || n > 1<<12 {
		return fmt.Errorf("cluster: cannot start %d workers: the argument of Workers must be between 1 and %d", n, 1<<12)
	}
	if c.ctx.Err() != nil {
		return mp.ErrClosed
	}
	a, err := c.newAgent(n)
	if err != nil {
		return err
	}
	if !c.addAgent(a) {
		a.stop()
		return mp.ErrClosed
	}
	return nil
}

// addAgent starts a, unless the Cluster was closed.
func (c *Cluster) addAgent(a *agent) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.agents = append(c.agents, a)
		a.start()
	}
	return !c.closed
}

// Pool returns a new pool whose tasks the workers of the cluster run. All functions of
// package mp that take a Pool work with it. Close the pool when it is no longer needed. When
// the Cluster is closed, the tasks of the pool fail with mp.ErrClosed.
//
// The options are those of mp.NewPool, except for mp.Workers. They apply on every machine:
// the environment, the initializer and the limits are those of the child processes that run
// the pool's tasks there. The writers of mp.Stdout and mp.Stderr get the output of all these
// processes. mp.Retries(n) has the effect of Tries(n+1) for this pool.
func (c *Cluster) Pool(opts ...mp.PoolOption) (*mp.Pool, error) {
	return mp.NewRemotePool(c.o.inflight, opts, func(o *mpremote.PoolOptions) (mpremote.Runner, error) {
		r, err := c.newRunner(o)
		if err != nil {
			return nil, err
		}
		return r, nil
	})
}

// Close ends the pools and workers of this process, closes the connection, and stops the
// embedded server. Tasks that have not ended fail with mp.ErrClosed.
func (c *Cluster) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	agents, pools := c.agents, c.pools
	c.agents, c.pools = nil, nil
	c.mu.Unlock()
	for _, a := range agents {
		a.announce(false) // for the last update of the tables
	}
	c.stopShow()
	c.tables.Wait()
	for _, r := range pools {
		_ = r.Close()
	}
	for _, a := range agents {
		a.stop()
	}
	c.cancel(mp.ErrClosed)
	c.running.Wait()
	c.unregister()
	if c.conn != nil {
		c.conn.Close()
	}
	if c.embedded != nil {
		c.embedded.Stop()
	}
	return nil
}

// String returns the address of the server, and how many tasks of each pool can run at once.
func (c *Cluster) String() string {
	return fmt.Sprintf("a cluster of %d workers for each pool at %s", c.members.Slots(), c.URL())
}

// background runs f in a goroutine that Close waits for. After Close it does nothing.
func (c *Cluster) background(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Go(f)
	}
}

// programName returns the name of this program's file.
func programName() string {
	path, err := os.Executable()
	if err != nil {
		return "?"
	}
	return strings.TrimSuffix(path[strings.LastIndexByte(path, os.PathSeparator)+1:], " (deleted)")
}

// newID returns a random name for a worker or pool.
func newID() string { return rand.Text() }

var idFormat = regexp.MustCompile("^(" + jobs.Prefix + ")?[A-Z2-7]+$") // of a pool or job
