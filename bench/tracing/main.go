// Tracing measures what mp.Trace costs. It prints the ratio of the processor time of a
// pool's tasks with a recording to that without one. With -before it also prints, for calls
// of package mp without a recording, the ratio of their time in this version of the
// repository to that in another version. The two measurements of a ratio are made one after
// the other.
//
//	go run ./bench/tracing [-rounds 15] [-before FOLDER]
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/perijove/perijove/lib/mp"
)

func main() {
	mp.Init()
	rounds := flag.Int("rounds", 15, "how often to measure each")
	before := flag.String("before", "", "a folder with another version of the repository")
	flag.Parse()
	if err := run(*rounds, *before); err != nil {
		fmt.Fprintln(os.Stderr, "tracing:", err)
		os.Exit(1)
	}
}

func run(rounds int, before string) (err error) {
	if rounds < 1 {
		return fmt.Errorf("cannot measure with -rounds %d: the number of rounds must be at least 1", rounds)
	}
	folder, err := os.MkdirTemp("", "perijove-tracing-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ttimes\t95 % interval")
	if err := recordings(w, filepath.Join(folder, "trace"), rounds); err != nil {
		return err
	}
	if before != "" {
		if err := calls(w, folder, before, rounds, 25); err != nil {
			return err
		}
	}
	return w.Flush()
}
