//go:build !linux

package protocol

import "os"

func MapBudgetPage(*os.File) BudgetPage { return nil }

func (l BudgetPage) Unmap() {}

func FatalLine([]byte) string { return "" }
