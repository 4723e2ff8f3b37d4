package main

import (
	"fmt"
	"runtime"

	"github.com/perijove/perijove/kernel/internal/version"
	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "perijove %s %s/%s, built with %s\n",
				version.Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
			return err
		},
	}
}
