// Package cluster runs the tasks of an mp.Pool on many machines. Pool returns a Pool of
// package mp, so the lines that use it do not change:
//
//	c, err := cluster.Open(ctx)                             // a server in this process
//	c, err := cluster.Open(ctx, cluster.URL("nats://host")) // or one that others keep
//	err = c.Workers(4)                                      // four child processes here
//	pool, err := c.Pool()
//	ys, err := mp.Map[int](ctx, pool, Square, xs)
//
// Tasks and results go through a NATS server with JetStream. Any number of processes may
// join it; each may start workers, make pools, or both. A program that only runs workers is
//
//	c, err := cluster.Open(ctx, cluster.URL(url), cluster.Token(token))
//	err = c.Workers(mp.Cores())
//	<-ctx.Done()
//
// # Programs
//
// A program must call mp.Init first in main. Functions and values are sent as package mp
// sends them to a child process, so a function that captures variables is refused, and so
// is a shared object of package mp, such as a Queue: its memory exists on one machine.
//
// Functions are named by their places in the program's file. So a task is only given to
// workers of the same file, by its hash; copy one binary to all machines. If there are only
// workers of other builds, the tasks fail with ErrNoWorkers after the WorkerTimeout, and
// the error names the function and both builds. The code of a notebook exists only in its
// process and its children, so a notebook's tasks run on the workers that it starts itself.
//
// # What happens when something fails
//
// A task runs at least once. If the child process that runs it dies, it begins again at
// once; if a whole worker machine is lost, its tasks begin again elsewhere within two
// seconds. A task may thus run twice, for example if the network was cut after it had
// ended, and its outcome is used once. A task with effects should recognize a second run,
// by a key in its argument.
//
// A task that has begun as often as Tries allows, and whose process died each time, fails
// with an *mp.ExitError, or an error that says that its workers were lost. DeadLetters
// lists such tasks. A task that returns an error or panics is not tried again.
//
// If the server cannot be reached, tasks wait for a minute before they fail. When a pool is
// closed or its process ends, its tasks are dropped.
//
// When the context of a Map ends, or a notebook is interrupted, tasks that wait are removed
// from the server, and the contexts of those that run are cancelled, wherever they run. A
// child process that ignores that for a second is killed.
//
// # Sharing
//
// Value, Mutex, Event, Barrier and Queue are kept by the server, and have the names of
// package mp. All their methods take a context and return an error. They may be part of the
// argument of a task; the worker process then connects to the server with its URL and
// Token (options of Connection do not reach it). A Mutex is a lease: if its owner dies, it
// is free five seconds later. Values are stored for this build of the program.
//
// # Output
//
// What tasks print appears on the standard output and standard error of the process that
// has the pool. Output may arrive shortly after the result of its task.
//
// # Limits
//
// A pool has Inflight tasks under way, so a Stream reads its sequence only that far ahead,
// and at most 512 MB of arguments. Tasks that take less than 20 milliseconds are sent in
// batches. Arguments and results of more than 128 KB are stored as objects, which each
// process with workers fetches once. MaxValue limits their size; a larger one fails with
// mp.ErrTooLarge.
//
// # Security
//
// The embedded server listens on the loopback interface, and accepts only clients with its
// Token. A process that has joined can run any function of the program: give the token, or the
// credentials of your server, only to machines that may do that, and use TLS between
// machines (see Connection). Messages are checked before they are decoded: version, hash,
// sizes, types. The hash detects damage; it is not a signature.
//
// # Costs
//
// A program that imports package cluster carries a NATS server, about 24 MB. Opening a
// cluster with the embedded server takes some ten milliseconds.
package cluster
