//go:build !linux

package mp

import "os"

func mapBudgetPage(*os.File) budgetPage { return nil }

func (l budgetPage) unmap() {}

func fatalLine([]byte) string { return "" }
