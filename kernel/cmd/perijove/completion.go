package main

import (
	"fmt"

	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/spf13/cobra"
)

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a script that completes commands in a shell",
		Long: `Completion prints a script for bash, zsh or fish. It completes subcommands,
flags, notebooks and the names of their parameters.`,
		Example: `  source <(perijove completion bash)
  perijove completion zsh > "${fpath[1]}/_perijove"
  perijove completion fish > ~/.config/fish/completions/perijove.fish`,
		ValidArgs:             []string{"bash", "zsh", "fish"},
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return fmt.Errorf("there is no completion for the shell %q: write bash, zsh or fish", args[0])
		},
	}
}

// completeNotebook completes the argument of perijove run.
func completeNotebook(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"ipynb"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeParameter completes the names of the notebook's parameters.
func completeParameter(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	nb, err := notebook.Read(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	parameters, err := nb.Parameters()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, p := range parameters {
		names = append(names, p.Name+"=\t"+p.TypeString())
	}
	return names, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
