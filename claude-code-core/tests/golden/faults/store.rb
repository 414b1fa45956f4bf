# frozen_string_literal: true

require "json"

module Shop
  # What went wrong.
  class StoreError < StandardError
    attr_reader :code

    def initialize(message, code: 500)
      super(message)
      @code = code
    end
  end

  Order = Struct.new(:number, :lines) do
    def total(prices)
      lines.sum { |line| prices.fetch(line) }
    end
  end

  class Store
    def initialize(path)
      @path = path
      @orders = {}
    end

    def load
      rows = JSON.parse(File.read(@path), symbolize_names: true)
      rows.each do |row|
        @orders[row[:number]] = Order.new(row[:number], row[:lines])
      end
      self
    end

    def find(number)
      @orders.fetch(number) do
        raise StoreError.new("no order #{number}", code: 404)
      end
    end

    def report(prices)
      @orders.values.sort_by(&:number).map do |order|
        if order.lines.empty?
          "#{order.number} nothing"
        else
          format("%6d %10d", order.number, order.total(prices))
        end
      end
    rescue KeyError => e
      warn "no price: #{e.message}"
      []
    end

    def sizes
      @orders.values.map do |order|
        case order.lines.size
        when 0 then :none
        when 1..3 then :small
        else :large
        end
      end
    end
  end
end

puts Shop::Store.new("orders.json").load.report({ "tea" => 3, "milk" => 2 }) if __FILE__ == $PROGRAM_NAME
