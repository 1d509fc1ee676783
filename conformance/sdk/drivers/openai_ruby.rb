# frozen_string_literal: true

# The driver of openai-ruby: reads a question a line, and answers what a user of the gem would see.
require "json"
require "openai"

LACKS = {"poll_run" => "the gem has no helper that waits"}.freeze

# A model with the members of the wire; what is no model is shown as it is.
def shown(model)
  return {"no run" => model.to_s} unless model.respond_to?(:to_h)
  model.respond_to?(:deep_to_h) ? model.deep_to_h : model.to_h
end

# All that an iteration gives, and the error that it ends with, if it does.
def gathered(member)
  told = []
  yield(told)
  {member => told}
rescue StandardError => problem
  {member => told, "error" => error(problem)}
end

# The first of these methods that the gem has; their names changed from release to release.
def one_of(object, *names)
  object.method(names.find { object.respond_to?(_1) } || names.last)
end

# Make a call as a user would, and tell what it gave.
def call(name, given, client)
  threads = client.beta.threads
  runs = threads.runs
  run_id = given.delete(:run_id)
  thread_id = given.delete(:thread_id) unless run_id
  case name
  when "create_run" then {"run" => shown(runs.create(thread_id, given))}
  when "retrieve_run" then {"run" => shown(runs.retrieve(run_id, given))}
  when "modify_run" then {"run" => shown(runs.update(run_id, given))}
  when "cancel_run" then {"run" => shown(runs.cancel(run_id, given))}
  when "submit_tool_outputs" then {"run" => shown(runs.submit_tool_outputs(run_id, given))}
  when "create_thread_and_run" then {"run" => shown(threads.create_and_run(given))}
  when "list_runs"
    page = runs.list(thread_id, given)
    {"page" => {"ids" => page.data.to_a.map(&:id), "has_more" => page.has_more}}
  when "iterate_runs"
    gathered("ids") { |told| runs.list(thread_id, given).auto_paging_each { told << _1.id } }
  when "stream_run"
    begin_ = one_of(runs, :create_stream_raw, :create_streaming)
    heard(begin_.call(thread_id, given))
  when "stream_tool_outputs"
    begin_ = one_of(runs, :submit_tool_outputs_stream_raw, :submit_tool_outputs_streaming)
    heard(begin_.call(run_id, given))
  else {"unsupported" => "this driver knows no #{name}"}
  end
end

# The events of a stream, in the words of the wire.
def heard(stream)
  gathered("events") { |told| stream.each { told << {"event" => _1.event, "data" => shown(_1.data)} } }
end

# An error with what a user can read from it.
def error(problem)
  told = {"kind" => "other", "message" => "#{problem.class}: #{problem.message}"}
  case problem
  when OpenAI::Errors::APITimeoutError then told.merge("kind" => "timeout")
  when OpenAI::Errors::APIConnectionError then told.merge("kind" => "connection")
  when OpenAI::Errors::APIStatusError
    headers = problem.respond_to?(:headers) ? problem.headers || {} : {}
    known = {"code" => problem.code, "param" => problem.param, "type" => problem.type}
    told.merge(known, "kind" => "status", "status" => problem.status, "request_id" => headers["x-request-id"])
  else told
  end
end

$stdout.sync = true
$stdin.each_line do |line|
  asked = JSON.parse(line, symbolize_names: true)
  answer =
    if asked[:hello]
      {"client" => "openai-ruby #{OpenAI::VERSION}", "lacks" => LACKS}
    else
      set_up = asked[:client]
      begin
        set = {base_url: set_up[:base_url], api_key: set_up[:api_key], timeout: set_up[:timeout]}
        call(asked[:call], asked[:arguments], OpenAI::Client.new(**set, max_retries: set_up[:retries]))
      rescue StandardError => problem
        {"error" => error(problem)}
      end
    end
  puts JSON.generate({"id" => asked[:id], **answer})
end
