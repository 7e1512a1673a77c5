#include "remote/invitation.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.pb.h"
#include "sys/futex.h"
#include "wire/channel.h"

namespace cairn::remote {
namespace {

using sys::Text;
using wire::decode_text;
using wire::encode_text;

constexpr uint64_t patience_ns = 10'000'000'000;

std::string text_of(const Text& text) { return {text.data, text.size}; }

/// As the file of shared names beside the socket says.
uint32_t host_number(const std::string& socket) {
  std::string path = socket.substr(0, socket.rfind('/')) + "/names";
  uint32_t number = 0;
  sys::UniqueFd fd = sys::open(path.c_str(), O_RDONLY);
  if (fd.ok()) (void)sys::read_at(fd.get(), &number, sizeof number, (1 << 20) - 8);
  return number;
}

}  // namespace

std::string ask_invitation(Invitation* invitation) {
  static char buffers[2][wire::max_frame + 4];
  const char* socket = getenv("CAIRN_AGENT_SOCKET");
  const char* computation_value = getenv("CAIRN_COMPUTATION");
  if (socket == nullptr) return "it is not in a computation";
  wire::Channel channel;
  channel.use_buffers(buffers[0], buffers[1]);
  if (channel.connect(socket) != 0) return "the coordinator cannot be reached";
  Text build_id(CAIRN_BUILD_ID), computation(computation_value ? computation_value : "");
  cairn_agent_Hello hello = cairn_agent_Hello_init_zero;
  hello.protocol_major = 1;
  hello.build_id = encode_text(&build_id);
  hello.role = cairn_agent_Role_ROLE_INVITER;
  hello.real_pid = getpid();
  hello.session_id = encode_text(&computation);
  hello.host_number = host_number(socket);
  uint64_t deadline = sys::now_ns() + patience_ns;
  wire::Envelope envelope;
  Text refusal;
  cairn_agent_HelloReply reply = cairn_agent_HelloReply_init_zero;
  reply.refusal = decode_text(&refusal);
  if (channel.send(1, cairn_agent_Message_hello_tag, cairn_agent_Hello_fields, &hello) != 0 || channel.receive(&envelope, deadline) != 0 ||
      !wire::decode(envelope.body, cairn_agent_HelloReply_fields, &reply)) {
    return "the coordinator does not answer";
  }
  if (!refusal.empty()) return text_of(refusal);
  cairn_agent_InvitationRequest request = cairn_agent_InvitationRequest_init_zero;
  Text error, coordinator, secret, secret_file, command, address;
  cairn_agent_Invitation answer = cairn_agent_Invitation_init_zero;
  answer.error = decode_text(&error);
  answer.coordinator = decode_text(&coordinator);
  answer.secret = decode_text(&secret);
  answer.secret_file = decode_text(&secret_file);
  answer.command = decode_text(&command);
  answer.address = decode_text(&address);
  if (channel.send(3, cairn_agent_Message_invitation_request_tag, cairn_agent_InvitationRequest_fields, &request) != 0 ||
      channel.receive(&envelope, deadline) != 0 || !wire::decode(envelope.body, cairn_agent_Invitation_fields, &answer)) {
    return "the coordinator does not answer";
  }
  *invitation = {text_of(coordinator), text_of(secret), text_of(secret_file), text_of(command), text_of(address)};
  std::string why = text_of(error);
  channel.close();
  memset(buffers, 0, sizeof buffers);
  return why;
}

}  // namespace cairn::remote
