// Perijove is a Jupyter kernel for Go, and the program that installs, runs and
// checks it.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	if err := newCommand().Execute(); err != nil {
		if !errors.Is(err, errAlreadyReported) {
			fmt.Fprintln(os.Stderr, "perijove:", err)
		}
		os.Exit(1)
	}
}

// errAlreadyReported is an error whose cause has been printed already.
var errAlreadyReported = errors.New("a check of perijove doctor failed")

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "perijove",
		Short: "Go notebooks, compiled natively cell by cell",
		Long: `Perijove is a Jupyter kernel for Go. Each cell is compiled by your own Go
compiler and linked into a process that keeps running, so variables and
goroutines stay alive between cells.

Start with "perijove install", then open JupyterLab and choose "Go (Perijove)".
"perijove doctor" checks what is needed and says how to get what is missing.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		newInstallCommand(), newRunCommand(), newParametersCommand(), newExportCommand(), newBuildCommand(),
		newUninstallCommand(),
		newKernelCommand(),
		newDoctorCommand(),
		newCompletionCommand(),
		newVersionCommand(),
	)
	return root
}
