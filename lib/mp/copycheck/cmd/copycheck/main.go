// Command copycheck reports package variables that a program changes, and that are read by a
// function that package mp sends to a child process. The child has a copy of the variable,
// with the initial value. See package lib/mp/copycheck.
//
//	copycheck ./...
//
// checks packages; go vet -vettool=$(which copycheck) ./... does the same.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/perijove/perijove/lib/mp/copycheck"
)

func main() {
	if len(os.Args) > 1 && patterns(os.Args[1:]) {
		os.Exit(vet(os.Args[1:]))
	}
	unitchecker.Main(copycheck.Analyzer) // called by go vet, or with help or a flag
}

// patterns reports whether the arguments are package patterns. go vet passes flags and
// .cfg files instead.
func patterns(args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "-") || strings.HasSuffix(a, ".cfg") || a == "help" {
			return false
		}
	}
	return true
}

// vet runs go vet on the packages with this program as its tool, since go vet can load
// packages.
func vet(packages []string) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "copycheck:", err)
		return 2
	}
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + self}, packages...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "copycheck: cannot run go vet:", err)
		return 2
	}
	return 0
}
