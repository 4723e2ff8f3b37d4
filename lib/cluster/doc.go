// Package cluster runs the tasks of an mp.Pool on many machines. Cluster.Pool returns an
// *mp.Pool, so code that uses a pool of one machine works without changes:
//
//	c, err := cluster.Open(ctx)                             // a server in this process
//	c, err := cluster.Open(ctx, cluster.URL("nats://host")) // or an existing server
//	err = c.Workers(4)                                      // four child processes here for each pool
//	pool, err := c.Pool()
//	ys, err := mp.Map[int](ctx, pool, Square, xs)
//
// Tasks and results go through a NATS server with JetStream. Any number of processes may
// join the server; each may start workers, make pools, or both. These lines make a program
// that only runs workers:
//
//	c, err := cluster.Open(ctx, cluster.URL(url), cluster.Token(token))
//	err = c.Workers(mp.Cores())
//	<-ctx.Done()
//
// # Programs
//
// A program must call mp.Init first in main. Functions and values are sent as package mp
// sends them to a child process, so a function that captures variables is refused. A shared
// object of package mp, such as a Queue, is refused, since its memory exists on one machine.
//
// A function is identified by its address in the program's executable. So only workers with
// the same executable, compared by its hash, get its tasks: copy one binary to all machines.
// If there are only workers of other builds, the tasks fail with ErrNoWorkers after the
// WorkerTimeout, and the error names the function and both builds.
//
// The tasks of a notebook run on the workers that it starts itself, and on the workers of
// programs that perijove build --worker made from the notebook. Such a program gets the tasks
// of a function if the hash of its source, with all declarations that it uses, is the same in
// the program and in the notebook. The error for other tasks names the first difference. The
// type of the argument must not contain an interface, an interface in the result can hold only
// basic types, and errors arrive as text with the errors that they wrap.
//
// # Options
//
// Pool takes the options of mp.NewPool, except for mp.Workers, which it refuses. They apply
// on each machine: a TaskTimeout begins when a worker begins the task, and an Initializer
// runs once in each child process. If the Initializer fails on one machine, all tasks of the
// pool fail with its error.
//
// # What happens when something fails
//
// A task runs at least once. If the child process that runs it dies, the task begins again at
// once; if a whole machine is lost, its tasks begin again elsewhere within two seconds. A
// task may thus run twice, for example if the network fails after the task has ended; only
// one outcome is used. A task with side effects can recognize a second run by its TaskKey.
//
// A task that has begun as often as Tries allows, and whose process died each time, fails
// with an *mp.ExitError, or with an error that says that its workers were lost. DeadLetters
// lists such tasks. A task that returns an error or panics is not tried again. If a message
// with results is damaged, the tasks that were sent together in that batch fail.
//
// If the server cannot be reached, a task that is not yet sent fails after a minute. A pool
// whose process has no workers considers all workers lost after 10 seconds without an
// answer from the server; its tasks fail with ErrNoWorkers when the WorkerTimeout has passed
// as well. When a pool is closed or its process ends, its tasks are dropped.
//
// When the context of a Map ends, or a notebook is interrupted, waiting tasks are removed
// from the server, and the contexts of running tasks are canceled on all machines. A child
// process whose task ignores that for a second is killed.
//
// # Jobs
//
// The tasks of a pool end with its process. The tasks of a Job do not: StartJob stores them,
// with a name, on the server, which also keeps the results. Another process joins the job with
// JoinJob and gets every result.
//
//	job, err := cluster.StartJob[int](ctx, c, "sweep", Square, xs)
//	job, err := cluster.JoinJob[int](ctx, c, "sweep") // in another process
//	ys, err := job.Results(ctx)
//
// # Sharing
//
// The server keeps objects of the types Value, Mutex, Event, Barrier and Queue, which
// correspond to those of package mp. All their methods take a context and return an error.
// They may be part of the argument of a task; the child process that runs the task then
// connects to the server with its URL and Token (options of Connection do not reach it). A
// Mutex is a lease: if its owner dies, Lock or TryLock in another process takes it after
// five seconds without a renewal. Only the build of the program that stored a value can read
// the value.
//
// # Output
//
// The output of tasks appears on the standard output and standard error of the process
// that has the pool. Output may arrive shortly after the result of its task.
//
// # Limits
//
// A pool has at most Inflight tasks and 512 MiB of arguments under way, so a Stream reads
// its sequence only that far ahead. Tasks that take less than 20 milliseconds are sent in
// batches. Arguments and results of more than 128 KiB are stored as objects. A process with
// workers keeps up to 256 MiB of the arguments that it has fetched, for later tasks.
// MaxValue limits the size of an argument or result; a task with a larger one fails with
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
// A program that imports package cluster contains a NATS server, about 24 MB. Opening a
// cluster with the embedded server takes about ten milliseconds.
package cluster
