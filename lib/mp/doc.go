// Package mp runs the same function as a goroutine or as a child process, by
// changing one word:
//
//	proc, err := mp.Start(ctx, mp.Goroutines, AccessX, "Thread")
//	proc, err := mp.Start(ctx, mp.Processes, AccessX, "Process")
//
// It is Python's multiprocessing for Go: processes, pools, queues, locks and
// shared memory, with contexts and errors instead of hangs.
//
// # Functions
//
// A function needs no registration. Parent and child run the same binary, so
// a top-level function, a method expression, or a function literal that
// captures nothing is sent as the name of its code. A closure that captures
// variables exists in one process only and is refused.
//
// Functions take one argument, before it a context.Context if they like, and
// return nothing, an error, a result, or a result and an error. Start takes
// those without a result, Go those with one; the result's type is given
// explicitly, since Go cannot infer it through a choice of shapes:
//
//	call, err := mp.Go[int](ctx, mp.Processes, Square, 7)
//	y, err := call.Result(ctx)
//
// # Programs
//
// A program calls Init first thing in main, and in TestMain. In a child Init
// does not return. Without it no child is ever started: a child would run the
// whole program again, and start children itself.
//
// # What a child sees
//
// A child process starts with every package variable at its initial value, as
// after all init functions, and changes to them stay in the child. A goroutine
// sees the one variable that everybody sees.
package mp
