package syntax

// Rule names a rule of the grammar; a node of KindRule was made by it.
type Rule uint8

// The rules of the grammar, and RuleConstObject for nodes of KindConstObject.
// Leaf nodes have RuleNone.
const (
	RuleNone Rule = iota
	RuleConstObject
	RuleSingleInput
	RuleFileInput
	RuleFileInput2
	RuleFileInput3
	RuleEvalInput
	RuleEvalInput2
	RuleDecorator
	RuleDecorators
	RuleDecorated
	RuleDecoratedBody
	RuleAsyncFuncdef
	RuleFuncdef
	RuleFuncdefrettype
	RuleTypedargslist
	RuleTypedargslistItem
	RuleTypedargslistName
	RuleTypedargslistStar
	RuleTypedargslistDblStar
	RuleTypedargslistColon
	RuleTypedargslistEqual
	RuleTfpdef
	RuleVarargslist
	RuleVarargslistItem
	RuleVarargslistName
	RuleVarargslistStar
	RuleVarargslistDblStar
	RuleVarargslistEqual
	RuleVfpdef
	RuleStmt
	RuleSimpleStmt
	RuleSimpleStmt2
	RuleSmallStmt
	RuleExprStmt
	RuleExprStmt2
	RuleExprStmtAugassign
	RuleExprStmtAssignList
	RuleExprStmtAssign
	RuleExprStmt6
	RuleTestlistStarExpr
	RuleTestlistStarExpr2
	RuleAugassign
	RuleDelStmt
	RulePassStmt
	RuleFlowStmt
	RuleBreakStmt
	RuleContinueStmt
	RuleReturnStmt
	RuleYieldStmt
	RuleRaiseStmt
	RuleRaiseStmtArg
	RuleRaiseStmtFrom
	RuleImportStmt
	RuleImportName
	RuleImportFrom
	RuleImportFrom2
	RuleImportFrom2b
	RuleImportFrom3
	RuleImportAsNamesParen
	RuleOneOrMorePeriodOrEllipsis
	RulePeriodOrEllipsis
	RuleImportAsName
	RuleDottedAsName
	RuleAsName
	RuleImportAsNames
	RuleDottedAsNames
	RuleDottedName
	RuleGlobalStmt
	RuleNonlocalStmt
	RuleNameList
	RuleAssertStmt
	RuleAssertStmtExtra
	RuleCompoundStmt
	RuleAsyncStmt
	RuleAsyncStmt2
	RuleIfStmt
	RuleIfStmtElifList
	RuleIfStmtElif
	RuleWhileStmt
	RuleForStmt
	RuleTryStmt
	RuleTryStmt2
	RuleTryStmtExceptAndMore
	RuleTryStmtExcept
	RuleTryStmtAsName
	RuleTryStmtExceptList
	RuleTryStmtFinally
	RuleElseStmt
	RuleWithStmt
	RuleWithStmtList
	RuleWithItem
	RuleWithItemAs
	RuleSuite
	RuleSuiteBlock
	RuleSuiteBlockStmts
	RuleTest
	RuleTestIfExpr
	RuleTestIfElse
	RuleTestNocond
	RuleLambdef
	RuleLambdefNocond
	RuleOrTest
	RuleAndTest
	RuleNotTest
	RuleNotTest2
	RuleComparison
	RuleCompOp
	RuleCompOpNotIn
	RuleCompOpIs
	RuleCompOpIsNot
	RuleStarExpr
	RuleExpr
	RuleXorExpr
	RuleAndExpr
	RuleShiftExpr
	RuleShiftOp
	RuleArithExpr
	RuleArithOp
	RuleTerm
	RuleTermOp
	RuleFactor
	RuleFactor2
	RuleFactorOp
	RulePower
	RuleAtomExpr
	RuleAtomExprAwait
	RuleAtomExprNormal
	RuleAtomExprTrailers
	RulePowerDblStar
	RuleAtom
	RuleAtomParen
	RuleAtom2b
	RuleAtomBracket
	RuleAtomBrace
	RuleTestlistComp
	RuleTestlistComp2
	RuleTestlistComp3
	RuleTestlistComp3b
	RuleTestlistComp3c
	RuleTrailer
	RuleTrailerParen
	RuleTrailerBracket
	RuleTrailerPeriod
	RuleSubscriptlist
	RuleSubscript
	RuleSubscript2
	RuleSubscript3
	RuleSubscript3b
	RuleSubscript3c
	RuleSubscript3d
	RuleSliceop
	RuleExprlist
	RuleExprlist2
	RuleTestlist
	RuleDictorsetmaker
	RuleDictorsetmakerItem
	RuleDictorsetmakerColon
	RuleDictorsetmakerTail
	RuleDictorsetmakerList
	RuleDictorsetmakerList2
	RuleClassdef
	RuleClassdef2
	RuleArglist
	RuleArglist2
	RuleArglistStar
	RuleArglistDblStar
	RuleArgument
	RuleArgument2
	RuleArgument3
	RuleCompIter
	RuleCompFor
	RuleCompIf
	RuleYieldExpr
	RuleYieldArg
	RuleYieldArgFrom
	numRules
)

// ruleNames are the names that the reference grammar gives to its rules.
var ruleNames = [numRules]string{
	RuleNone:                      "none",
	RuleConstObject:               "const_object",
	RuleSingleInput:               "single_input",
	RuleFileInput:                 "file_input",
	RuleFileInput2:                "file_input_2",
	RuleFileInput3:                "file_input_3",
	RuleEvalInput:                 "eval_input",
	RuleEvalInput2:                "eval_input_2",
	RuleDecorator:                 "decorator",
	RuleDecorators:                "decorators",
	RuleDecorated:                 "decorated",
	RuleDecoratedBody:             "decorated_body",
	RuleAsyncFuncdef:              "async_funcdef",
	RuleFuncdef:                   "funcdef",
	RuleFuncdefrettype:            "funcdefrettype",
	RuleTypedargslist:             "typedargslist",
	RuleTypedargslistItem:         "typedargslist_item",
	RuleTypedargslistName:         "typedargslist_name",
	RuleTypedargslistStar:         "typedargslist_star",
	RuleTypedargslistDblStar:      "typedargslist_dbl_star",
	RuleTypedargslistColon:        "typedargslist_colon",
	RuleTypedargslistEqual:        "typedargslist_equal",
	RuleTfpdef:                    "tfpdef",
	RuleVarargslist:               "varargslist",
	RuleVarargslistItem:           "varargslist_item",
	RuleVarargslistName:           "varargslist_name",
	RuleVarargslistStar:           "varargslist_star",
	RuleVarargslistDblStar:        "varargslist_dbl_star",
	RuleVarargslistEqual:          "varargslist_equal",
	RuleVfpdef:                    "vfpdef",
	RuleStmt:                      "stmt",
	RuleSimpleStmt:                "simple_stmt",
	RuleSimpleStmt2:               "simple_stmt_2",
	RuleSmallStmt:                 "small_stmt",
	RuleExprStmt:                  "expr_stmt",
	RuleExprStmt2:                 "expr_stmt_2",
	RuleExprStmtAugassign:         "expr_stmt_augassign",
	RuleExprStmtAssignList:        "expr_stmt_assign_list",
	RuleExprStmtAssign:            "expr_stmt_assign",
	RuleExprStmt6:                 "expr_stmt_6",
	RuleTestlistStarExpr:          "testlist_star_expr",
	RuleTestlistStarExpr2:         "testlist_star_expr_2",
	RuleAugassign:                 "augassign",
	RuleDelStmt:                   "del_stmt",
	RulePassStmt:                  "pass_stmt",
	RuleFlowStmt:                  "flow_stmt",
	RuleBreakStmt:                 "break_stmt",
	RuleContinueStmt:              "continue_stmt",
	RuleReturnStmt:                "return_stmt",
	RuleYieldStmt:                 "yield_stmt",
	RuleRaiseStmt:                 "raise_stmt",
	RuleRaiseStmtArg:              "raise_stmt_arg",
	RuleRaiseStmtFrom:             "raise_stmt_from",
	RuleImportStmt:                "import_stmt",
	RuleImportName:                "import_name",
	RuleImportFrom:                "import_from",
	RuleImportFrom2:               "import_from_2",
	RuleImportFrom2b:              "import_from_2b",
	RuleImportFrom3:               "import_from_3",
	RuleImportAsNamesParen:        "import_as_names_paren",
	RuleOneOrMorePeriodOrEllipsis: "one_or_more_period_or_ellipsis",
	RulePeriodOrEllipsis:          "period_or_ellipsis",
	RuleImportAsName:              "import_as_name",
	RuleDottedAsName:              "dotted_as_name",
	RuleAsName:                    "as_name",
	RuleImportAsNames:             "import_as_names",
	RuleDottedAsNames:             "dotted_as_names",
	RuleDottedName:                "dotted_name",
	RuleGlobalStmt:                "global_stmt",
	RuleNonlocalStmt:              "nonlocal_stmt",
	RuleNameList:                  "name_list",
	RuleAssertStmt:                "assert_stmt",
	RuleAssertStmtExtra:           "assert_stmt_extra",
	RuleCompoundStmt:              "compound_stmt",
	RuleAsyncStmt:                 "async_stmt",
	RuleAsyncStmt2:                "async_stmt_2",
	RuleIfStmt:                    "if_stmt",
	RuleIfStmtElifList:            "if_stmt_elif_list",
	RuleIfStmtElif:                "if_stmt_elif",
	RuleWhileStmt:                 "while_stmt",
	RuleForStmt:                   "for_stmt",
	RuleTryStmt:                   "try_stmt",
	RuleTryStmt2:                  "try_stmt_2",
	RuleTryStmtExceptAndMore:      "try_stmt_except_and_more",
	RuleTryStmtExcept:             "try_stmt_except",
	RuleTryStmtAsName:             "try_stmt_as_name",
	RuleTryStmtExceptList:         "try_stmt_except_list",
	RuleTryStmtFinally:            "try_stmt_finally",
	RuleElseStmt:                  "else_stmt",
	RuleWithStmt:                  "with_stmt",
	RuleWithStmtList:              "with_stmt_list",
	RuleWithItem:                  "with_item",
	RuleWithItemAs:                "with_item_as",
	RuleSuite:                     "suite",
	RuleSuiteBlock:                "suite_block",
	RuleSuiteBlockStmts:           "suite_block_stmts",
	RuleTest:                      "test",
	RuleTestIfExpr:                "test_if_expr",
	RuleTestIfElse:                "test_if_else",
	RuleTestNocond:                "test_nocond",
	RuleLambdef:                   "lambdef",
	RuleLambdefNocond:             "lambdef_nocond",
	RuleOrTest:                    "or_test",
	RuleAndTest:                   "and_test",
	RuleNotTest:                   "not_test",
	RuleNotTest2:                  "not_test_2",
	RuleComparison:                "comparison",
	RuleCompOp:                    "comp_op",
	RuleCompOpNotIn:               "comp_op_not_in",
	RuleCompOpIs:                  "comp_op_is",
	RuleCompOpIsNot:               "comp_op_is_not",
	RuleStarExpr:                  "star_expr",
	RuleExpr:                      "expr",
	RuleXorExpr:                   "xor_expr",
	RuleAndExpr:                   "and_expr",
	RuleShiftExpr:                 "shift_expr",
	RuleShiftOp:                   "shift_op",
	RuleArithExpr:                 "arith_expr",
	RuleArithOp:                   "arith_op",
	RuleTerm:                      "term",
	RuleTermOp:                    "term_op",
	RuleFactor:                    "factor",
	RuleFactor2:                   "factor_2",
	RuleFactorOp:                  "factor_op",
	RulePower:                     "power",
	RuleAtomExpr:                  "atom_expr",
	RuleAtomExprAwait:             "atom_expr_await",
	RuleAtomExprNormal:            "atom_expr_normal",
	RuleAtomExprTrailers:          "atom_expr_trailers",
	RulePowerDblStar:              "power_dbl_star",
	RuleAtom:                      "atom",
	RuleAtomParen:                 "atom_paren",
	RuleAtom2b:                    "atom_2b",
	RuleAtomBracket:               "atom_bracket",
	RuleAtomBrace:                 "atom_brace",
	RuleTestlistComp:              "testlist_comp",
	RuleTestlistComp2:             "testlist_comp_2",
	RuleTestlistComp3:             "testlist_comp_3",
	RuleTestlistComp3b:            "testlist_comp_3b",
	RuleTestlistComp3c:            "testlist_comp_3c",
	RuleTrailer:                   "trailer",
	RuleTrailerParen:              "trailer_paren",
	RuleTrailerBracket:            "trailer_bracket",
	RuleTrailerPeriod:             "trailer_period",
	RuleSubscriptlist:             "subscriptlist",
	RuleSubscript:                 "subscript",
	RuleSubscript2:                "subscript_2",
	RuleSubscript3:                "subscript_3",
	RuleSubscript3b:               "subscript_3b",
	RuleSubscript3c:               "subscript_3c",
	RuleSubscript3d:               "subscript_3d",
	RuleSliceop:                   "sliceop",
	RuleExprlist:                  "exprlist",
	RuleExprlist2:                 "exprlist_2",
	RuleTestlist:                  "testlist",
	RuleDictorsetmaker:            "dictorsetmaker",
	RuleDictorsetmakerItem:        "dictorsetmaker_item",
	RuleDictorsetmakerColon:       "dictorsetmaker_colon",
	RuleDictorsetmakerTail:        "dictorsetmaker_tail",
	RuleDictorsetmakerList:        "dictorsetmaker_list",
	RuleDictorsetmakerList2:       "dictorsetmaker_list2",
	RuleClassdef:                  "classdef",
	RuleClassdef2:                 "classdef_2",
	RuleArglist:                   "arglist",
	RuleArglist2:                  "arglist_2",
	RuleArglistStar:               "arglist_star",
	RuleArglistDblStar:            "arglist_dbl_star",
	RuleArgument:                  "argument",
	RuleArgument2:                 "argument_2",
	RuleArgument3:                 "argument_3",
	RuleCompIter:                  "comp_iter",
	RuleCompFor:                   "comp_for",
	RuleCompIf:                    "comp_if",
	RuleYieldExpr:                 "yield_expr",
	RuleYieldArg:                  "yield_arg",
	RuleYieldArgFrom:              "yield_arg_from",
}

// String gives the rule's name in the reference grammar, like "expr_stmt".
func (r Rule) String() string {
	if r < numRules {
		return ruleNames[r]
	}
	return "rule?"
}
