package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
)

// ErrMissing says that there is no such order.
var ErrMissing = errors.New("no such order")

type Order struct {
	Number int      `json:"number"`
	Lines  []string `json:"lines"`
}

type Store struct {
	path   string
	orders map[int]Order
}

func New(path string) *Store {
	return &Store{path: path, orders: make(map[int]Order)}
}

func (s *Store) Load() error {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("load %s: %w", s.path, err)
	}
	var rows []Order
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	for _, row := range rows {
		s.orders[row.Number] = row
	}
	return nil
}

func (s *Store) Find(number int) (Order, error) {
	order, ok := s.orders[number]
	if !ok {
		return Order{}, ErrMissing
	}
	return order, nil
}

func (o Order) Total(prices map[string]int) int {
	total := 0
	for _, line := range o.Lines {
		switch price, ok := prices[line]; {
		case ok:
			total += price
		default:
			fmt.Println("no price for", line)
		}
	}
	return total
}

func (s *Store) Numbers() []int {
	numbers := make([]int, 0, len(s.orders))
	for number := range s.orders {
		numbers = append(numbers, number)
	}
	sort.Slice(numbers, func(i, j int) bool { return numbers[i] < numbers[j] })
	return numbers
}
